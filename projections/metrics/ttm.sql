-- Time to mitigate: from the start of impact until no impact was left; by impact intervals, not by a status.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
select
    incident_id,
    service,
    severity,
    impact_started_at as started_at,
    mitigated_at as ended_at,
    case when reason is null then (epoch_us(mitigated_at) - epoch_us(impact_started_at)) / 1000000 end as duration_s,
    reason as excluded_because
from (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when impact_started_at is null then 'no impact recorded'
            when mitigated_at is null then 'impact not over'
        end as reason
    from metric_population
)
