-- What TheHive 5 would measure of a case: from its start to its creation, from its start until it was in progress, and
-- from then to its end, so that its time to resolve leaves out everything before somebody worked on it.
-- Its startDate is the start of impact, its newDate ``created_at``, its inProgressDate the first commander, because a
-- case is in progress once somebody takes it, and its endDate the resolution that stands.
-- source: TheHive 5 documentation, formulas of the case indicators
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'time to detect' as metric,
        impact_started_at as started_at,
        created_at as ended_at,
        'start of impact not known' as no_start,
        'not created' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'time to acknowledge', impact_started_at, in_progress_at,
        'start of impact not known', 'never in progress'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'time to resolve', in_progress_at, resolved_at,
        'never in progress', 'not resolved'
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
