-- Time to respond: from the first page that a channel took, or from the earliest signal when nobody was paged, to the
-- first resolution that was not taken back as mistaken. It leaves out how long nobody knew.
-- metric: ttr_respond, version 1
-- starts: notified, else detected
-- ends: first_resolved
-- open: not resolved yet
-- excluded: resolved before the first page
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        coalesce(notified, detected) as started,
        first_resolved as ended,
        case
            when excluded_because is not null then excluded_because
            when coalesce(notified, detected) is null then 'not detected'
            when first_resolved is null then 'not resolved'
            when first_resolved.happened_at < coalesce(notified, detected).happened_at then 'resolved before the first page'
        end as reason,
        case
            when excluded_because is null and coalesce(notified, detected) is not null and first_resolved is null and stands
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
