-- Time to acknowledge: from the first page that a channel took to the first acknowledgement by a person.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
select
    incident_id,
    service,
    severity,
    notified_at as started_at,
    acknowledged_at as ended_at,
    case when reason is null then (epoch_us(acknowledged_at) - epoch_us(notified_at)) / 1000000 end as duration_s,
    reason as excluded_because
from (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when notified_at is null then 'nobody was paged'
            when acknowledged_at is null then 'not acknowledged by a person'
            when acknowledged_at < notified_at then 'acknowledged before the first page'
        end as reason
    from metric_population
)
