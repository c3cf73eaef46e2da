-- Who holds or held which role in an incident, and when; ``until`` is null while it is held.
-- grain: one row a holding
-- key: incident_id, role, person_id, since_seq
-- refresh: stream
with role_facts as (
    select stream_id as incident_id, seq, type, happened_at, role, person_id, null as previous_person_id
    from incident_role_assigned
    union all
    select stream_id, seq, type, happened_at, role, person_id, previous_person_id
    from incident_role_handoff_accepted
    union all
    select stream_id, seq, type, happened_at, role, person_id, null
    from incident_role_relieved
),
changes as (
    select incident_id, role, person_id, seq, happened_at, type <> 'incident.role_relieved' as holds
    from role_facts
    union
    -- Taking over from somebody ends that person's holding.
    select incident_id, role, previous_person_id, seq, happened_at, false
    from role_facts
    where previous_person_id is not null and previous_person_id <> person_id
    union
    -- There is one commander at a time, so a new one ends the holding of each earlier one.
    select later.incident_id, later.role, earlier.person_id, later.seq, later.happened_at, false
    from role_facts as later
    join role_facts as earlier
        on later.incident_id = earlier.incident_id and later.role = earlier.role
        and later.seq > earlier.seq and later.person_id <> earlier.person_id
    where later.role = 'commander' and later.type <> 'incident.role_relieved'
),
turns as (
    select
        *,
        lag(holds, 1, false) over (partition by incident_id, role, person_id order by seq) as held_before
    from changes
),
-- Only what changes the holding counts: being assigned twice is one holding.
edges as (
    select
        *,
        lead(happened_at) over (partition by incident_id, role, person_id order by seq) as until
    from turns
    where holds <> held_before
)
select incident_id, role, person_id, happened_at as since, until, seq as since_seq
from edges
where holds
