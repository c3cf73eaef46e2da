-- What PagerDuty's Insights would measure: from the creation of the incident to the first acknowledgement, and to the
-- resolution. Incidents that were not acknowledged, or are open, are left out of the means.
-- Created is ``created_at``, acknowledged the first acknowledgement by anybody, resolved the resolution that stands.
-- source: PagerDuty support documentation, Insights, and its escalation policy report
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'mean time to acknowledge' as metric,
        created_at as started_at,
        acknowledged_at as ended_at,
        'not created' as no_start,
        'not acknowledged' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'mean time to resolve', created_at, resolved_at,
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
