-- Active time: how long an incident was worked on, from the earliest signal to the last resolution, without the quiet
-- time between a resolution and a relapse. After a resolution that was taken back as mistaken no time was quiet.
-- metric: active_time, version 1
-- starts: detected
-- ends: resolved
-- open: not resolved
-- excluded: resolved before it was detected
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with resolutions as (
    select incident_id, episode, arg_max(happened_at, seq) as resolved_at
    from incident_milestones
    where milestone = 'resolved' and not void
    group by incident_id, episode
),
quiet as (
    select
        reopened.incident_id,
        cast(sum(epoch_us(reopened.happened_at) - epoch_us(resolutions.resolved_at)) as bigint) as quiet_us
    from incident_milestones as reopened
    join resolutions
        on resolutions.incident_id = reopened.incident_id and resolutions.episode = reopened.episode - 1
    where reopened.milestone = 'reopened'
    group by reopened.incident_id
),
spans as (
    select
        population.incident_id,
        population.service,
        population.severity,
        population.detected as started,
        population.resolved as ended,
        coalesce(quiet.quiet_us, 0) as quiet_us,
        case
            when population.excluded_because is not null then population.excluded_because
            when population.detected is null then 'not detected'
            when population.resolved is null then 'not resolved'
            when population.resolved.happened_at < population.detected.happened_at then 'resolved before it was detected'
        end as reason,
        case
            when population.excluded_because is null and population.detected is not null
                and population.resolved is null and population.stands
                then population.moment
        end as known_until
    from metric_population as population
    left join quiet using (incident_id)
)
select
    incident_id,
    service,
    severity,
    started.happened_at as started_at,
    ended.happened_at as ended_at,
    case
        when reason is null then (epoch_us(ended.happened_at) - epoch_us(started.happened_at) - quiet_us) / 1000000
    end as duration_s,
    case when reason is null then 'measured' when known_until is not null then 'censored' else 'excluded' end as state,
    reason as excluded_because,
    quiet_us,
    started,
    ended,
    known_until
from spans
