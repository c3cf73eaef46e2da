-- What Keep would measure: from the first alert to the creation of the incident, and from the first alert to the end.
-- Keep rounds up and reports an hour without incidents as 0; that is not done here.
-- Its start_time is our detection, the earliest signal; its end_time the resolution that stands.
-- source: keephq/keep, keep/api/core/db.py and keep/api/core/incident_reports.py
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'mean time to detect' as metric,
        detected_at as started_at,
        created_at as ended_at,
        'not detected' as no_start,
        'not created' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'mean time to resolve', detected_at, resolved_at,
        'not detected', 'not resolved'
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
