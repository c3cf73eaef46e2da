-- What Datadog would measure: from the earliest impact on customers to detection, from detection to the last impact on
-- customers, and from the declaration to the resolution. The first of the last two is called repair.
-- Its impacts are our impact intervals; detected, declared and resolved are ours.
-- source: DataDog/documentation, pull request 35821, incident management analytics
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'Time to Detect' as metric,
        impact_started_at as started_at,
        detected_at as ended_at,
        'start of impact not known' as no_start,
        'not detected' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'Time to Repair', detected_at, impact_ended_at,
        'not detected', 'impact not over'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'Time to Resolve', declared_at, resolved_at,
        'not declared', 'not resolved'
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
