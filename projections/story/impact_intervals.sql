-- When users were affected: each stretch of impact on one scope, from its start to its end (null while it lasts), as is
-- believed now. ``started_said_at`` and ``ended_said_at`` are what was first said, ``…_earliest`` and ``…_latest`` the
-- bounds of a time that is not known precisely, and ``…_corrected_seq`` the correction that is believed instead.
-- grain: one row a stretch of impact
-- key: incident_id, scope, started_seq
-- refresh: stream
with corrections as (
    select
        stream_id as incident_id,
        replaces_seq,
        arg_max(
            {'occurred_at': occurred_at, 'earliest': occurred_earliest_at, 'latest': occurred_latest_at, 'seq': seq}, seq
        ) as latest
    from incident_milestone_corrected
    where replaces_seq > 0
    group by stream_id, replaces_seq
),
said as (
    select
        stream_id as incident_id, seq, event_id, type, happened_at, happened_earliest, happened_latest, scope, level
    from incident_impact_started
    union all
    select stream_id, seq, event_id, type, happened_at, happened_earliest, happened_latest, scope, level
    from incident_impact_level_changed
    union all
    select stream_id, seq, event_id, type, happened_at, happened_earliest, happened_latest, scope, null
    from incident_impact_ended
),
impact as (
    select
        said.incident_id,
        said.scope,
        said.type,
        said.level,
        said.seq,
        {
            'at': coalesce(corrections.latest.occurred_at, said.happened_at),
            'said_at': said.happened_at,
            'earliest': case
                when corrections.replaces_seq is null then said.happened_earliest else corrections.latest.earliest
            end,
            'latest': case
                when corrections.replaces_seq is null then said.happened_latest else corrections.latest.latest
            end,
            'corrected_seq': corrections.latest.seq,
            'seq': said.seq,
            'event_id': said.event_id
        } as told,
        -- A stretch is over with its end; what follows an end belongs to the next one.
        count(*) filter (where said.type = 'incident.impact_ended') over (
            partition by said.incident_id, said.scope
            order by said.seq rows between unbounded preceding and 1 preceding
        ) as stretch
    from said
    left join corrections on corrections.incident_id = said.incident_id and corrections.replaces_seq = said.seq
),
stretches as (
    select
        incident_id,
        scope,
        arg_min(told, seq) filter (where type = 'incident.impact_started') as started,
        arg_max(told, seq) filter (where type = 'incident.impact_ended') as ended,
        max(level) as level_max
    from impact
    group by incident_id, scope, stretch
)
select
    incident_id,
    scope,
    started.at as started_at,
    ended.at as ended_at,
    level_max,
    started.seq as started_seq,
    started.event_id as started_event_id,
    ended.seq as ended_seq,
    ended.event_id as ended_event_id,
    started.said_at as started_said_at,
    started.earliest as started_earliest,
    started.latest as started_latest,
    started.corrected_seq as started_corrected_seq,
    ended.said_at as ended_said_at,
    ended.earliest as ended_earliest,
    ended.latest as ended_latest,
    ended.corrected_seq as ended_corrected_seq
from stretches
where started is not null
