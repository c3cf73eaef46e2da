-- What FireHydrant would measure: every milestone from *Started*, which people may set afterwards.
-- Started is the start of impact, Mitigated the first containment: it is a status that somebody sets, not the end of
-- the impact. Detected, Acknowledged and Resolved are ours.
-- source: FireHydrant documentation, incident lifecycle phases and milestones
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: vendor_marks
with spans as (
    select
        incident_id,
        excluded_because,
        'MTTD' as metric,
        impact_started_at as started_at,
        detected_at as ended_at,
        'start of impact not known' as no_start,
        'not detected' as no_end
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'MTTA', impact_started_at, acknowledged_at,
        'start of impact not known', 'not acknowledged'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'MTTM', impact_started_at, contained_at,
        'start of impact not known', 'not mitigated'
    from vendor_marks
    union all
    select
        incident_id, excluded_because, 'MTTR', impact_started_at, resolved_at,
        'start of impact not known', 'not resolved'
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
