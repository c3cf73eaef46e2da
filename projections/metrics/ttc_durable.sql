-- Time to contain for good: from the earliest signal to the last containment, which held. It is provisional, a lower
-- bound, until 14 days after the resolution, because the incident may still come back.
-- metric: ttc_durable, version 1
-- starts: detected
-- ends: contained
-- open: not contained, or resolved less than 14 days ago, or not at all
-- excluded: over without a containment; contained before it was detected
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        detected as started,
        contained as ended,
        case
            when excluded_because is not null then excluded_because
            when detected is null then 'not detected'
            when contained is null then 'not contained'
            when contained.happened_at < detected.happened_at then 'contained before it was detected'
            when not settled then 'it may still come back'
        end as reason,
        case
            when excluded_because is null and detected is not null and not settled
                and (stands or contained.happened_at >= detected.happened_at)
                then coalesce(contained.happened_at, moment)
        end as known_until
    from metric_population
)
select
    incident_id,
    service,
    severity,
    started.happened_at as started_at,
    ended.happened_at as ended_at,
    case when reason is null then (epoch_us(ended.happened_at) - epoch_us(started.happened_at)) / 1000000 end as duration_s,
    case when reason is null then 'measured' when known_until is not null then 'censored' else 'excluded' end as state,
    reason as excluded_because,
    started,
    ended,
    known_until
from spans
