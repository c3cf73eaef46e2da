-- Time to acknowledge from detection: from the earliest signal to the first acknowledgement by a person, paged or not.
-- metric: tta_detect, version 1
-- starts: detected
-- ends: first_acknowledged
-- open: nobody has acknowledged it yet
-- excluded: acknowledged by a machine, or over, without a person; acknowledged before it was detected
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        detected as started,
        first_acknowledged as ended,
        case
            when excluded_because is not null then excluded_because
            when detected is null then 'not detected'
            when first_acknowledged is null then 'not acknowledged by a person'
            when first_acknowledged.happened_at < detected.happened_at then 'acknowledged before it was detected'
        end as reason,
        case
            when excluded_because is null and detected is not null and first_acknowledged is null
                and stands and acknowledged_by is null
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
