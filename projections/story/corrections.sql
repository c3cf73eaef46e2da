-- What was said of an incident and is believed otherwise since: one line for each fact that changed the past. A figure
-- that differs between two log positions differs because of these, and a restatement names them.
-- ``kind`` is milestone, retraction, severity, determination, merge, unmerge, reopened as mistaken, dismissed after
-- resolution, reinstated, late evidence (an alert that joined once the incident was over) or declared retroactively.
-- column kind: What sort of correction it is.
-- column milestone: Which milestone was corrected; null for every other kind.
-- column replaces_event_id: The event that is believed otherwise, or no longer; null when nothing had said it.
-- column replaces_seq: Its log position.
-- column replaces_type: Its type.
-- column from_value: What was believed before; null when nothing was.
-- column to_value: What is believed since; null when the event counts no longer.
-- grain: one row a correction
-- key: incident_id, seq
-- refresh: view
with said as (
    select seq, type, happened_at, coalesce(detected_at, happened_at) as signal_at, determination from incident_facts
    union all
    select seq, type, happened_at, happened_at, null from page_sent
),
milestones as (
    select
        corrected.stream_id as incident_id, corrected.seq, corrected.event_id, corrected.happened_at,
        corrected.recorded_at, coalesce(corrected.actor, corrected.source) as actor,
        'milestone' as kind,
        corrected.milestone,
        nullif(corrected.replaces_event_id, '') as replaces_event_id,
        nullif(corrected.replaces_seq, 0) as replaces_seq,
        told.type as replaces_type,
        cast(
            coalesce(
                lag(corrected.occurred_at) over (
                    partition by corrected.stream_id, corrected.milestone, corrected.replaces_seq
                    order by corrected.seq
                ),
                -- A declaration gives two times.
                case when corrected.milestone = 'detected' then said.signal_at end,
                -- Also of what was taken back since.
                told.happened_at
            ) as varchar
        ) as from_value,
        cast(corrected.occurred_at as varchar) as to_value,
        corrected.reason,
        nullif(corrected.evidence, '') as evidence
    from incident_milestone_corrected as corrected
    left join said on said.seq = corrected.replaces_seq
    left join history as told on told.seq = corrected.replaces_seq
),
severities as (
    select
        corrected.stream_id as incident_id, corrected.seq, corrected.event_id, corrected.happened_at,
        corrected.recorded_at, coalesce(corrected.actor, corrected.source) as actor,
        'severity' as kind,
        corrected.replaces_event_id,
        corrected.replaces_seq,
        said.type as replaces_type,
        corrected.previous as from_value,
        corrected.severity as to_value,
        corrected.reason
    from incident_severity_corrected as corrected
    left join said on said.seq = corrected.replaces_seq
),
determinations as (
    select
        corrected.stream_id as incident_id, corrected.seq, corrected.event_id, corrected.happened_at,
        corrected.recorded_at, coalesce(corrected.actor, corrected.source) as actor,
        'determination' as kind,
        corrected.replaces_event_id,
        corrected.replaces_seq,
        said.type as replaces_type,
        coalesce(
            lag(corrected.determination) over (partition by corrected.replaces_seq order by corrected.seq),
            said.determination
        ) as from_value,
        corrected.determination as to_value,
        corrected.reason
    from incident_determination_corrected as corrected
    left join said on said.seq = corrected.replaces_seq
),
retractions as (
    select
        retracted.stream_id as incident_id, retracted.seq, retracted.event_id, retracted.happened_at,
        retracted.recorded_at, coalesce(retracted.actor, retracted.source) as actor,
        'retraction' as kind,
        retracted.fact_event_id as replaces_event_id,
        retracted.event_seq as replaces_seq,
        retracted.event_type as replaces_type,
        told.headline as from_value,
        retracted.reason
    from incident_event_retracted as retracted
    left join history as told on told.seq = retracted.event_seq
),
-- What says of itself that it changes the past, or does because of when it came.
steps as (
    select
        *,
        max(seq) filter (where type in ('incident.resolved', 'incident.closed')) over earlier as over_seq,
        arg_max(event_id, seq) filter (where type = 'incident.resolved') over earlier as resolved_event_id,
        max(seq) filter (where type = 'incident.resolved') over earlier as resolved_seq,
        coalesce(max(seq) filter (where type = 'incident.reopened') over earlier, 0) as reopened_seq
    from incident_facts
    where type in (
        'incident.resolved', 'incident.closed', 'incident.reopened', 'incident.merged', 'incident.unmerged',
        'incident.absorbed', 'incident.disowned', 'incident.dismissed', 'incident.reinstated', 'incident.alert_linked'
    )
    window earlier as (partition by stream order by seq rows between unbounded preceding and 1 preceding)
),
changes as (
    select
        stream_id as incident_id, seq, event_id, happened_at, recorded_at, coalesce(actor, source) as actor,
        case type
            when 'incident.merged' then 'merge'
            when 'incident.absorbed' then 'merge'
            when 'incident.unmerged' then 'unmerge'
            when 'incident.disowned' then 'unmerge'
            when 'incident.reopened' then 'reopened as mistaken'
            when 'incident.dismissed' then 'dismissed after resolution'
            when 'incident.reinstated' then 'reinstated'
            when 'incident.alert_linked' then 'late evidence'
        end as kind,
        case when type = 'incident.reopened' then resolved_event_id end as replaces_event_id,
        case when type = 'incident.reopened' then resolved_seq end as replaces_seq,
        case when type = 'incident.reopened' then 'incident.resolved' end as replaces_type,
        case type
            when 'incident.unmerged' then from_incident_id
            when 'incident.disowned' then from_incident_id
            when 'incident.reopened' then 'resolved'
        end as from_value,
        case type
            when 'incident.merged' then into_incident_id
            when 'incident.absorbed' then from_incident_id
            when 'incident.dismissed' then reason
            when 'incident.alert_linked' then title
        end as to_value,
        case when type = 'incident.dismissed' then nullif(explanation, '') else nullif(reason, '') end as reason
    from steps
    where type in ('incident.merged', 'incident.absorbed', 'incident.unmerged', 'incident.disowned', 'incident.reinstated')
        or (type = 'incident.reopened' and kind = 'mistaken')
        or (type in ('incident.dismissed', 'incident.alert_linked') and over_seq > reopened_seq)
),
beginnings as (
    select
        began.stream_id as incident_id, began.seq, began.event_id, began.happened_at, began.recorded_at,
        coalesce(began.actor, began.source) as actor,
        'declared retroactively' as kind,
        began.title as to_value,
        nullif(began.reason, '') as reason
    from (
        select *, row_number() over (partition by stream order by seq) as place
        from incident_facts
        where type in ('incident.opened', 'incident.declared')
    ) as began
    join incidents on incidents.incident_id = began.stream_id
    where began.place = 1 and incidents.retroactive
),
every_kind as (
    from milestones
    union all by name from severities
    union all by name from determinations
    union all by name from retractions
    union all by name from changes
    union all by name from beginnings
)
select
    incident_id, seq, event_id, happened_at, recorded_at, actor, kind, milestone, replaces_event_id, replaces_seq,
    replaces_type, from_value, to_value, reason, evidence
from every_kind
