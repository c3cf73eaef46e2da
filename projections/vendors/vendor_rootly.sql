-- What Rootly would measure: from its start to its detection, acknowledgement, mitigation and resolution. An older page
-- of its documentation calls mitigation minus start the duration of a resolved incident: ``duration (older docs)``.
-- Its started_at is the start of impact and its mitigated_at the first containment.
-- source: Rootly documentation, updating incident timestamps, present and older version
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'time to detection' as metric,
        impact_started_at as started_at,
        detected_at as ended_at,
        'start of impact not known' as no_start,
        'not detected' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'time to acknowledge', impact_started_at, acknowledged_at,
        'start of impact not known', 'not acknowledged'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'time to mitigation', impact_started_at, contained_at,
        'start of impact not known', 'not mitigated'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'time to resolution', impact_started_at, resolved_at,
        'start of impact not known', 'not resolved'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'duration (older docs)', impact_started_at, case when resolved_at is not null then contained_at end,
        'start of impact not known', 'not mitigated'
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
