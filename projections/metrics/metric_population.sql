-- Every incident with the marks that metrics start and end at, and why it is left out of all of them, if it is.
-- Counted are root incidents that are or may be real: not merged, dismissed, false positive, benign, nor an exercise.
-- The starts (``impact_started``, ``detected``, ``notified``, ``identified``) are the earliest among the incident and those merged into
-- it, found each time anew, so that separating them restores both. Everything else is its own.
-- ``mitigated`` is the end of the impact that began before the first resolution that stood, null while any lasts, as
-- ``impact_lasts`` says.
-- ``contained``, ``eradicated``, ``resolved`` and ``closed`` are null once they no longer hold.
-- ``severity`` is the declared one, else the final one. ``stands``: not over. ``settled``: resolved so long ago, 14
-- days, that its coming back would be another incident. ``moment`` is how far the log can tell.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with of_members as (
    select
        roots.root_incident_id as incident_id,
        min(marks.impact_started) as impact_started,
        min(marks.detected) as detected,
        min(marks.notified) as notified,
        min(marks.identified) as identified
    from root_incidents as roots
    join metric_marks as marks using (incident_id)
    where roots.root_incident_id <> roots.incident_id
    group by roots.root_incident_id
),
first_resolutions as (
    select incident_id, arg_min(happened_at, seq) as happened_at
    from incident_milestones
    where milestone = 'resolved' and not void
    group by incident_id
),
mitigations as (
    select
        intervals.incident_id,
        bool_or(intervals.ended_at is null) as lasts,
        max({
            'happened_at': intervals.ended_at, 'seq': intervals.ended_seq, 'event_id': intervals.ended_event_id,
            'earliest': intervals.ended_earliest, 'latest': intervals.ended_latest
        }) as mark
    from impact_intervals as intervals
    left join first_resolutions using (incident_id)
    -- By time and not by position: an impact may be told of after the resolution.
    where first_resolutions.happened_at is null or intervals.started_at < first_resolutions.happened_at
    group by intervals.incident_id
)
select
    incidents.incident_id,
    incidents.service,
    coalesce(incidents.severity_declared, incidents.severity) as severity,
    incidents.profile,
    case
        when incidents.merged_into is not null then 'merged into ' || incidents.merged_into
        when incidents.phase = 'dismissed' then 'dismissed'
        when incidents.determination in ('false_positive', 'benign', 'exercise')
            then replace(incidents.determination, '_', ' ')
    end as excluded_because,
    incidents.phase in ('triage', 'active', 'contained', 'eradicated') as stands,
    coalesce(incidents.resolved_at + interval 14 days <= clock.moment, false) as settled,
    incidents.acknowledged_by,
    least(marks.impact_started, of_members.impact_started) as impact_started,
    least(marks.detected, of_members.detected) as detected,
    least(marks.notified, of_members.notified) as notified,
    least(marks.identified, of_members.identified) as identified,
    marks.first_acknowledged,
    marks.first_declared,
    marks.first_contained,
    case when incidents.contained_at is not null then marks.last_contained end as contained,
    coalesce(mitigations.lasts, false) as impact_lasts,
    case
        when mitigations.incident_id is null then marks.said_mitigated
        when not mitigations.lasts then mitigations.mark
    end as mitigated,
    case when incidents.eradicated_at is not null then marks.last_eradicated end as eradicated,
    marks.first_resolved,
    case when incidents.resolved_at is not null then marks.last_resolved end as resolved,
    case when incidents.closed_at is not null then marks.last_closed end as closed,
    clock.moment
from incidents
cross join clock
left join metric_marks as marks using (incident_id)
left join of_members using (incident_id)
left join mitigations using (incident_id)
