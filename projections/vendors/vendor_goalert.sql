-- What GoAlert would measure of an alert: from its creation to the first acknowledgement, and to the first closing. It is
-- computed once, when the alert is closed, and nothing that comes later changes it.
-- Its alert is our incident, its closing the first resolution, even one that was taken back as mistaken.
-- source: target/goalert, engine/metricsmanager/db.go
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'time_to_ack' as metric,
        created_at as started_at,
        case when first_resolved_at is not null and acknowledged_at <= first_resolved_at then acknowledged_at end as ended_at,
        'not created' as no_start,
        'not acknowledged' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'time_to_close', created_at, first_resolved_at,
        'not created', 'not resolved'
    from vendor_marks
)
select
    incident_id,
    metric,
    started_at,
    ended_at,
    case when reason is null then epoch_us(ended_at) - epoch_us(started_at) end as duration_us,
    reason as excluded_because
from (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when started_at is null then no_start
            when ended_at is null then no_end
        end as reason
    from spans
)
