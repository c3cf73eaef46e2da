-- Every incident as it stands: phase, severity, people, and when it reached what, as is believed now.
-- ``contained_at``, ``eradicated_at``, ``resolved_at`` and ``closed_at`` are null once they no longer hold, and
-- acknowledgement once the incident was reopened or reinstated; ``notified_at`` is the first page ever sent;
-- ``mitigated_at`` is the end of all impact, null while any lasts. ``retroactive``: it was over before the log, or the
-- system that it was imported from, first heard of it at ``first_known_at``.
-- grain: one row an incident
-- key: incident_id
-- refresh: closure
-- A correction counts for events of its own incident alone: of another one's it would be no business.
with times as (
    select stream_id, replaces_seq, milestone = 'detected' as of_signal, arg_max(occurred_at, seq) as occurred_at
    from incident_milestone_corrected
    where replaces_seq > 0
    group by stream_id, replaces_seq, of_signal
),
severities as (
    select stream_id, replaces_seq, arg_max(severity, seq) as severity
    from incident_severity_corrected
    group by stream_id, replaces_seq
),
determinations as (
    select stream_id, replaces_seq, arg_max(determination, seq) as determination
    from incident_determination_corrected
    group by stream_id, replaces_seq
),
-- What was said, with what is believed of it now in place of what was corrected. What a correction itself says is in
-- the place of what it corrects, and an event that was taken back is nowhere; so the phase, too, is that of the last
-- event that is left.
told as (
    select
        facts.stream_id as incident_id, facts.seq, facts.type, facts.title, facts.profile, facts.service,
        facts.into_incident_id, facts.recorded_at, facts.known_at,
        coalesce(times.occurred_at, facts.happened_at) as happened_at,
        case when facts.type <> 'incident.severity_corrected' then coalesce(severities.severity, facts.severity) end
            as severity,
        case
            when facts.type <> 'incident.determination_corrected'
                then coalesce(determinations.determination, facts.determination)
        end as determination
    from incident_facts as facts
    left join times
        on times.stream_id = facts.stream_id and times.replaces_seq = facts.seq
        and times.of_signal = (facts.type = 'incident.opened')
    left join severities on severities.stream_id = facts.stream_id and severities.replaces_seq = facts.seq
    left join determinations
        on determinations.stream_id = facts.stream_id and determinations.replaces_seq = facts.seq
),
folded as materialized (
    select
        incident_id,
        arg_max(title, seq) filter (where title is not null and type <> 'incident.alert_linked') as title,
        arg_max(type, seq) filter (where type in (
            'incident.opened', 'incident.declared', 'incident.contained', 'incident.eradicated', 'incident.resolved',
            'incident.regressed', 'incident.closed', 'incident.reopened', 'incident.dismissed', 'incident.reinstated'
        )) as last_step,
        max(seq) filter (where type = 'incident.merged') as merged_seq,
        max(seq) filter (where type = 'incident.unmerged') as unmerged_seq,
        arg_max(into_incident_id, seq) filter (where type = 'incident.merged') as merged_into,
        arg_max(severity, seq) as severity,
        arg_min(severity, seq) filter (where type = 'incident.declared') as severity_declared,
        -- sev1 is the most severe, and the names sort that way.
        min(severity) as severity_peak,
        arg_max(profile, seq) filter (where type in ('incident.opened', 'incident.declared')) as profile,
        arg_max(service, seq) filter (where service <> '') as service,
        arg_max(determination, seq) as determination,
        arg_min(happened_at, seq) as opened_at,
        arg_min(happened_at, seq) filter (where type = 'incident.declared') as declared_at,
        arg_max(happened_at, seq) filter (where type = 'incident.contained') as contained_at,
        max(seq) filter (where type = 'incident.contained') as contained_seq,
        arg_max(happened_at, seq) filter (where type = 'incident.eradicated') as eradicated_at,
        max(seq) filter (where type = 'incident.eradicated') as eradicated_seq,
        arg_max(happened_at, seq) filter (where type = 'incident.resolved') as resolved_at,
        max(seq) filter (where type = 'incident.resolved') as resolved_seq,
        arg_max(happened_at, seq) filter (where type = 'incident.closed') as closed_at,
        max(seq) filter (where type = 'incident.closed') as closed_seq,
        coalesce(max(seq) filter (where type = 'incident.reopened'), 0) as reopened_seq,
        coalesce(max(seq) filter (where type in ('incident.regressed', 'incident.reopened')), 0) as regressed_seq,
        arg_min(happened_at, seq) filter (where type = 'incident.resolved') as first_resolved_at,
        arg_min(coalesce(known_at, recorded_at), seq) as first_known_at,
        count(*) filter (where type = 'incident.reopened') as reopened_count,
        coalesce(max(seq) filter (where type in ('incident.reopened', 'incident.reinstated')), 0) as begun_again_seq,
        arg_max(happened_at, seq) filter (where type in ('incident.reopened', 'incident.reinstated')) as begun_again_at,
        max(seq) as last_seq,
        max(recorded_at) as updated_at
    from told
    group by incident_id
    -- Seen by what had happened, an incident may have corrections already and not have begun.
    having count(*) filter (where type not in (
        'incident.milestone_corrected', 'incident.event_retracted', 'incident.severity_corrected',
        'incident.determination_corrected'
    )) > 0
),
-- ``is_unsaid``: reached in this episode without any event that says so.
reached as (
    select
        incident_id,
        min(happened_at) filter (where milestone = 'detected') as detected_at,
        min(happened_at) filter (where milestone = 'notified') as notified_at,
        min(happened_at) filter (where milestone = 'impact_started') as impact_started_at,
        max(happened_at) filter (where milestone = 'acknowledged' and is_unsaid) as acknowledged_unsaid_at,
        max(happened_at) filter (where milestone = 'contained' and is_unsaid) as contained_unsaid_at,
        max(happened_at) filter (where milestone = 'mitigated' and is_unsaid) as mitigated_unsaid_at,
        max(happened_at) filter (where milestone = 'eradicated' and is_unsaid) as eradicated_unsaid_at
    from (
        select
            milestones.incident_id, milestones.milestone, milestones.happened_at,
            milestones.said_at is null
                and (folded.begun_again_at is null or milestones.happened_at >= folded.begun_again_at) as is_unsaid
        from incident_milestones as milestones
        join folded using (incident_id)
    )
    group by incident_id
),
acknowledgements as (
    select
        told.stream_id as incident_id,
        arg_min(coalesce(times.occurred_at, told.happened_at), told.seq) as acknowledged_said_at,
        arg_min(coalesce(told.actor, told.source), told.seq) as acknowledged_by
    from incident_acknowledged as told
    join folded on folded.incident_id = told.stream_id
    left join times
        on times.stream_id = told.stream_id and times.replaces_seq = told.seq and not times.of_signal
    where told.seq > folded.begun_again_seq
    group by told.stream_id
),
impact as (
    select
        incident_id,
        case when count(*) = count(ended_at) then max(ended_at) end as impact_ended_said_at
    from impact_intervals
    group by incident_id
),
commanders as (
    select incident_id, arg_max(person_id, since_seq) as commander
    from roles
    where role = 'commander' and until is null
    group by incident_id
),
alert_links as (
    select stream_id as incident_id, alert_key, arg_max(belongs, seq) as belongs
    from (
        select stream_id, alert_key, seq, true as belongs from incident_alert_linked
        union all
        select stream_id, alert_key, seq, false from incident_alert_unlinked
    )
    group by stream_id, alert_key
),
alert_counts as (
    select incident_id, count(*) as alert_count from alert_links where belongs group by incident_id
)
select
    incident_id,
    title,
    case
        when merged_seq > coalesce(unmerged_seq, 0) then 'merged'
        when last_step in ('incident.opened', 'incident.reinstated') then 'triage'
        when last_step in ('incident.declared', 'incident.regressed', 'incident.reopened') then 'active'
        else split_part(last_step, '.', 2)
    end as phase,
    severity,
    severity_declared,
    severity_peak,
    profile,
    service,
    coalesce(determination, 'suspected') as determination,
    commander,
    opened_at,
    detected_at,
    declared_at,
    notified_at,
    coalesce(acknowledged_said_at, acknowledged_unsaid_at) as acknowledged_at,
    acknowledged_by,
    coalesce(case when contained_seq > regressed_seq then contained_at end, contained_unsaid_at) as contained_at,
    coalesce(impact_ended_said_at, mitigated_unsaid_at) as mitigated_at,
    coalesce(case when eradicated_seq > regressed_seq then eradicated_at end, eradicated_unsaid_at) as eradicated_at,
    case when resolved_seq > reopened_seq then resolved_at end as resolved_at,
    case when closed_seq > reopened_seq then closed_at end as closed_at,
    impact_started_at,
    coalesce(impact_ended_said_at, mitigated_unsaid_at) as impact_ended_at,
    coalesce(first_resolved_at <= first_known_at, false) as retroactive,
    first_known_at,
    1 + reopened_count as episode,
    reopened_count,
    case when merged_seq > coalesce(unmerged_seq, 0) then merged_into end as merged_into,
    coalesce(alert_count, 0) as alert_count,
    last_seq,
    updated_at
from folded
left join reached using (incident_id)
left join acknowledgements using (incident_id)
left join impact using (incident_id)
left join commanders using (incident_id)
left join alert_counts using (incident_id)
