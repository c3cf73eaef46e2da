-- Time to recover: from the start of impact to the first resolution that was not taken back as mistaken.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
select
    incident_id,
    service,
    severity,
    impact_started_at as started_at,
    resolved_at as ended_at,
    case when reason is null then (epoch_us(resolved_at) - epoch_us(impact_started_at)) / 1000000 end as duration_s,
    reason as excluded_because
from (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when impact_started_at is null then 'start of impact not known'
            when resolved_at is null then 'not resolved'
        end as reason
    from metric_population
)
