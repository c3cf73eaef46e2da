-- Time to detect: from the start of impact to the earliest signal. Detected before the impact, it is negative: lead
-- time, which is neither cut to zero nor left out.
-- metric: ttd, version 1
-- starts: impact_started
-- ends: detected
-- excluded: start of impact not known
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        impact_started as started,
        detected as ended,
        case
            when excluded_because is not null then excluded_because
            when impact_started is null then 'start of impact not known'
            when detected is null then 'not detected'
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
