-- Who took part in an incident: acknowledged it, held a role, was paged, or wrote something down.
-- grain: one row an incident and person
-- key: incident_id, person_id
-- refresh: closure
with acknowledged as (
    select stream_id as incident_id, actor as person_id, min(happened_at) as acknowledged_at
    from incident_acknowledged
    group by stream_id, actor
),
held as (
    select incident_id, person_id, list(role order by role) as roles
    from (select distinct incident_id, person_id, role from roles)
    group by incident_id, person_id
),
paged as (
    select incident_id, person_id, count(*) as pages
    from (select distinct incident_id, person_id, stream_id from page_requested)
    group by incident_id, person_id
),
noted as (
    select stream_id as incident_id, actor as person_id, count(*) as notes
    from incident_noted
    group by stream_id, actor
),
parts as (
    from acknowledged
    union all by name from held
    union all by name from paged
    union all by name from noted
)
select
    incident_id,
    person_id,
    max(acknowledged_at) as acknowledged_at,
    coalesce(max(roles), []) as roles,
    coalesce(max(pages), 0) as pages,
    coalesce(max(notes), 0) as notes
from parts
-- Services and integration keys act too (``service:intake``), and are not people.
where person_id is not null and person_id <> '' and person_id not like '%:%'
group by incident_id, person_id
