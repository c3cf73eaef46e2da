-- Time to resolve: from the earliest signal until the permanent fix was in (eradicated), or else until the incident was
-- closed.
-- metric: ttr_resolve, version 1
-- starts: detected
-- ends: eradicated, else closed
-- open: neither yet
-- excluded: over before it was detected
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        detected as started,
        coalesce(eradicated, closed) as ended,
        case
            when excluded_because is not null then excluded_because
            when detected is null then 'not detected'
            when coalesce(eradicated, closed) is null then 'neither eradicated nor closed'
            when coalesce(eradicated, closed).happened_at < detected.happened_at then 'over before it was detected'
        end as reason,
        case
            when excluded_because is null and detected is not null and coalesce(eradicated, closed) is null
                then moment
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
