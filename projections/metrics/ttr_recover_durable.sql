-- Time to recover for good: from the start of impact to the last resolution. It is provisional, a lower bound, until 14
-- days after that, because the incident may still come back.
-- metric: ttr_recover_durable, version 1
-- starts: impact_started
-- ends: resolved
-- open: not resolved, or resolved less than 14 days ago
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
        resolved as ended,
        case
            when excluded_because is not null then excluded_because
            when impact_started is null then 'start of impact not known'
            when resolved is null then 'not resolved'
            when resolved.happened_at < impact_started.happened_at then 'resolved before the impact began'
            when not settled then 'it may still come back'
        end as reason,
        case
            when excluded_because is null and impact_started is not null and not settled
                and (stands or resolved.happened_at >= impact_started.happened_at)
                then coalesce(resolved.happened_at, moment)
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
