-- Time to repair: the hands-on part of recovery alone, from the start of the repair to the first resolution. No event
-- says yet when a repair starts, so that nothing is measured and nothing else is taken in its place.
-- metric: ttr_repair, version 1
-- starts: none recorded
-- ends: first_resolved
-- excluded: no repair start recorded
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        case when false then detected end as started,
        first_resolved as ended,
        case
            when excluded_because is not null then excluded_because
            when true then 'no repair start recorded'
        end as reason,
        cast(null as timestamp) as known_until
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
