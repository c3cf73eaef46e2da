-- Every incident with the milestones that metrics start and end at, and why it is left out of all of them, if it is.
-- Counted are root incidents that are or may be real: not merged, dismissed, false positive, benign, nor an exercise.
-- The starts (impact, detection, notification) are the earliest among the incident and those merged into it. Ends are
-- its own: the first acknowledgement by a person, the first containment, the first resolution that was not taken back
-- as mistaken, and the end of the impact that began before that. Severity is the declared one, else the first given.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with starts as (
    select
        roots.root_incident_id as incident_id,
        min(happened_at) filter (where milestone = 'impact_started') as impact_started_at,
        min(happened_at) filter (where milestone = 'detected') as detected_at,
        min(happened_at) filter (where milestone = 'notified') as notified_at
    from incident_milestones
    join root_incidents as roots using (incident_id)
    group by roots.root_incident_id
),
ends as (
    select
        incident_id,
        arg_min(happened_at, seq) filter (where milestone = 'acknowledged') as acknowledged_at,
        arg_min(happened_at, seq) filter (where milestone = 'contained') as contained_at,
        arg_min(happened_at, seq) filter (where milestone = 'resolved' and not void) as resolved_at,
        min(seq) filter (where milestone = 'resolved' and not void) as resolved_seq
    from incident_milestones
    group by incident_id
),
impact as (
    select
        intervals.incident_id,
        case when count(*) = count(ended_at) then max(ended_at) end as mitigated_at
    from impact_intervals as intervals
    left join ends using (incident_id)
    where ends.resolved_seq is null or intervals.started_seq < ends.resolved_seq
    group by intervals.incident_id
)
select
    incidents.incident_id,
    incidents.service,
    coalesce(incidents.severity_declared, incidents.severity) as severity,
    case
        when incidents.merged_into is not null then 'merged into ' || incidents.merged_into
        when incidents.phase = 'dismissed' then 'dismissed'
        when incidents.determination in ('false_positive', 'benign', 'exercise')
            then replace(incidents.determination, '_', ' ')
    end as excluded_because,
    starts.impact_started_at,
    starts.detected_at,
    starts.notified_at,
    ends.acknowledged_at,
    ends.contained_at,
    impact.mitigated_at,
    ends.resolved_at
from incidents
left join starts using (incident_id)
left join ends using (incident_id)
left join impact using (incident_id)
