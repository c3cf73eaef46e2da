-- Who took part in an incident: acknowledged it, held a role, was paged, or wrote something down.
-- grain: one row an incident and person
-- key: incident_id, person_id
-- refresh: closure
with parts as (
    select stream_id as incident_id, actor as person_id, happened_at as acknowledged_at, null as role, null as page_id,
        null as note_seq
    from incident_acknowledged
    union all
    select incident_id, person_id, null, role, null, null
    from roles
    union all
    select incident_id, person_id, null, null, stream_id, null
    from page_requested
    union all
    select stream_id, actor, null, null, null, seq
    from incident_noted
)
select
    incident_id,
    person_id,
    min(acknowledged_at) as acknowledged_at,
    coalesce(list(distinct role order by role) filter (where role is not null), []) as roles,
    count(distinct page_id) as pages,
    count(distinct note_seq) as notes
from parts
-- Services and integration keys act too (``service:intake``), and are not people.
where person_id is not null and person_id <> '' and person_id not like '%:%'
group by incident_id, person_id
