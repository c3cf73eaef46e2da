-- Time to detect: from the start of impact to the earliest signal. Detected before the impact, it is negative: lead
-- time, which is neither cut to zero nor left out.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
select
    incident_id,
    service,
    severity,
    impact_started_at as started_at,
    detected_at as ended_at,
    case when reason is null then (epoch_us(detected_at) - epoch_us(impact_started_at)) / 1000000 end as duration_s,
    reason as excluded_because
from (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when impact_started_at is null then 'start of impact not known'
            when detected_at is null then 'not detected'
        end as reason
    from metric_population
)
