-- What Grafana OnCall would measure: the response time of an alert group, from its start to the first of acknowledgement,
-- resolution, silence and wiping. The first value that it had is kept for good.
-- Its started_at is ``created_at``, a silence ``quieted_at``, wiping a dismissal.
-- source: grafana/oncall, engine/apps/alerts/models/alert_group.py
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'response_time' as metric,
        created_at as started_at,
        least(acknowledged_at, first_resolved_at, quieted_at, dismissed_at) as ended_at,
        'not created' as no_start,
        'nobody responded' as no_end
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
