-- Time to contain: from the earliest signal to the first containment, whether or not that held.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
select
    incident_id,
    service,
    severity,
    detected_at as started_at,
    contained_at as ended_at,
    case when reason is null then (epoch_us(contained_at) - epoch_us(detected_at)) / 1000000 end as duration_s,
    reason as excluded_because
from (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when detected_at is null then 'not detected'
            when contained_at is null then 'not contained'
        end as reason
    from metric_population
)
