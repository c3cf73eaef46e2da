-- When users were affected: each stretch of impact on one scope, from its start to its end (null while it lasts).
-- grain: one row a stretch of impact
-- key: incident_id, scope, started_seq
-- refresh: stream
with impact_facts as (
    select stream_id as incident_id, seq, event_id, type, happened_at, scope, level from incident_impact_started
    union all
    select stream_id, seq, event_id, type, happened_at, scope, level from incident_impact_level_changed
    union all
    select stream_id, seq, event_id, type, happened_at, scope, null from incident_impact_ended
),
impact as (
    select
        *,
        -- A stretch is over with its end; what follows an end belongs to the next one.
        count(*) filter (where type = 'incident.impact_ended') over (
            partition by incident_id, scope order by seq rows between unbounded preceding and 1 preceding
        ) as stretch
    from impact_facts
)
select
    incident_id,
    scope,
    arg_min(happened_at, seq) filter (where type = 'incident.impact_started') as started_at,
    max(happened_at) filter (where type = 'incident.impact_ended') as ended_at,
    max(level) as level_max,
    min(seq) filter (where type = 'incident.impact_started') as started_seq,
    arg_min(event_id, seq) filter (where type = 'incident.impact_started') as started_event_id,
    max(seq) filter (where type = 'incident.impact_ended') as ended_seq,
    max(event_id) filter (where type = 'incident.impact_ended') as ended_event_id
from impact
group by incident_id, scope, stretch
having count(*) filter (where type = 'incident.impact_started') > 0
