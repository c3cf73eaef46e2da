-- What other products measure between, each as the nearest thing that the log says, so that a figure of theirs can be
-- computed from the same facts. A merged incident is none of its own; everything else counts, false alarms too, because
-- those products do not know better.
-- ``created_at``: when the incident was first recorded, here or by the system that it was imported from.
-- ``acknowledged_at``: the first acknowledgement by anybody, machines too. ``in_progress_at``: the first commander.
-- ``quieted_at``: the first of its alerts that was acknowledged at its sender, the nearest to a silence.
-- ``first_resolved_at``: the first resolution, taken back or not; ``resolved_at``: the one that stands.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with told as (
    select
        stream_id as incident_id,
        min(seq) as first_seq,
        arg_min(happened_at, seq) filter (where type = 'incident.acknowledged') as acknowledged_at,
        arg_min(happened_at, seq) filter (where type = 'incident.resolved') as first_resolved_at,
        arg_min(happened_at, seq) filter (where type = 'incident.dismissed') as dismissed_at,
        arg_min(happened_at, seq) filter (where type = 'incident.role_assigned' and role = 'commander') as in_progress_at
    from incident_facts
    group by stream_id
),
reached as (
    select
        incident_id,
        min(happened_at) filter (where milestone = 'impact_started') as impact_started_at,
        min(happened_at) filter (where milestone = 'detected') as detected_at,
        arg_min(happened_at, seq) filter (where milestone = 'declared') as declared_at,
        arg_min(happened_at, seq) filter (where milestone = 'contained') as contained_at
    from incident_milestones
    group by incident_id
),
quieted as (
    select linked.stream_id as incident_id, min(acknowledged.happened_at) as quieted_at
    from alert_acknowledged as acknowledged
    join incident_alert_linked as linked
        on linked.alert_key = acknowledged.stream_id and linked.seq < acknowledged.seq
    group by linked.stream_id
)
select
    incidents.incident_id,
    case when incidents.merged_into is not null then 'merged into ' || incidents.merged_into end as excluded_because,
    coalesce(log.known_at, log.recorded_at) as created_at,
    reached.impact_started_at,
    reached.detected_at,
    reached.declared_at,
    told.acknowledged_at,
    quieted.quieted_at,
    told.in_progress_at,
    reached.contained_at,
    incidents.impact_ended_at,
    told.first_resolved_at,
    incidents.resolved_at,
    told.dismissed_at
from incidents
join told using (incident_id)
join log on log.seq = told.first_seq
left join reached using (incident_id)
left join quieted using (incident_id)
