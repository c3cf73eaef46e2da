-- Who is on call for each rotation, by the shifts that were recorded as started and not as ended.
-- grain: one row a rotation and person on call
-- key: rotation_id, person_id
-- refresh: stream
with names as (
    select stream_id as rotation_id, arg_max(name, seq) as rotation from rotation_configured group by stream_id
),
shifts as (
    select
        stream_id as rotation_id,
        person_id,
        arg_max(type, seq) = 'rotation.shift_started' as is_on_call,
        arg_max(happened_at, seq) as since,
        arg_max(ends_at, seq) as ends_at
    from rotation_facts
    where type in ('rotation.shift_started', 'rotation.shift_ended')
    group by stream_id, person_id
)
select rotation_id, names.rotation, shifts.person_id, shifts.since, shifts.ends_at
from shifts
left join names using (rotation_id)
where shifts.is_on_call
