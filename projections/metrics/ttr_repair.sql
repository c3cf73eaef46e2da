-- Time to repair: the hands-on part of recovery alone, from when the cause was known well enough to repair it (somebody
-- says so, or corrects when it was) to the first resolution that was not taken back as mistaken. Where nobody said so,
-- nothing else is taken in its place.
-- metric: ttr_repair, version 2
-- starts: identified
-- ends: first_resolved
-- open: not resolved yet
-- excluded: nobody said when the cause was identified; resolved before that
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        identified as started,
        first_resolved as ended,
        case
            when excluded_because is not null then excluded_because
            when identified is null then 'no repair start recorded'
            when first_resolved is null then 'not resolved'
            when first_resolved.happened_at < identified.happened_at then 'resolved before the cause was identified'
        end as reason,
        case
            when excluded_because is null and identified is not null and first_resolved is null and stands
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
