-- Every incident as it stands: phase, severity, people, and when it reached what, as is believed now.
-- ``contained_at``, ``eradicated_at``, ``resolved_at`` and ``closed_at`` are null once they no longer hold, and
-- acknowledgement once the incident was reopened or reinstated; ``notified_at`` is the first page ever sent;
-- ``mitigated_at`` is the end of all impact, null while any lasts. ``retroactive``: it was over before the log, or the
-- system that it was imported from, first heard of it at ``first_known_at``.
-- grain: one row an incident
-- key: incident_id
-- refresh: closure
with times as (
    select replaces_seq, milestone = 'detected' as of_signal, arg_max(occurred_at, seq) as occurred_at
    from incident_milestone_corrected
    where replaces_seq > 0
    group by replaces_seq, of_signal
),
severities as (
    select replaces_seq, arg_max(severity, seq) as severity
    from incident_severity_corrected
    group by replaces_seq
),
determinations as (
    select replaces_seq, arg_max(determination, seq) as determination
    from incident_determination_corrected
    group by replaces_seq
),
-- What was said, with what is believed of it now in place of what was corrected. What a correction itself says is in
-- the place of what it corrects, and an event that was taken back is nowhere; so the phase, too, is that of the last
-- event that is left.
told as (
    select
        facts.* replace (
            coalesce(times.occurred_at, facts.happened_at) as happened_at,
            case when facts.type <> 'incident.severity_corrected' then coalesce(severities.severity, facts.severity) end
                as severity,
            case
                when facts.type <> 'incident.determination_corrected'
                    then coalesce(determinations.determination, facts.determination)
            end as determination
        ),
        facts.stream_id as incident_id
    from incident_facts as facts
    left join times on times.replaces_seq = facts.seq and times.of_signal = (facts.type = 'incident.opened')
    left join severities on severities.replaces_seq = facts.seq
    left join determinations on determinations.replaces_seq = facts.seq
),
folded as (
    select
        incident_id,
        arg_max(title, seq) filter (where title is not null and type <> 'incident.alert_linked') as title,
        arg_max(type, seq) filter (where type in (
            'incident.opened', 'incident.declared', 'incident.contained', 'incident.eradicated', 'incident.resolved',
            'incident.regressed', 'incident.closed', 'incident.reopened', 'incident.dismissed', 'incident.reinstated'
        )) as last_step,
        coalesce(
            arg_max(type, seq) filter (where type in ('incident.merged', 'incident.unmerged')) = 'incident.merged',
            false
        ) as is_merged,
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
        arg_max(happened_at, seq) filter (where type in ('incident.contained', 'incident.regressed', 'incident.reopened'))
            as containment_at,
        arg_max(type, seq) filter (where type in ('incident.contained', 'incident.regressed', 'incident.reopened'))
            as containment,
        arg_max(happened_at, seq) filter (where type in ('incident.eradicated', 'incident.regressed', 'incident.reopened'))
            as eradication_at,
        arg_max(type, seq) filter (where type in ('incident.eradicated', 'incident.regressed', 'incident.reopened'))
            as eradication,
        arg_max(happened_at, seq) filter (where type in ('incident.resolved', 'incident.reopened')) as resolution_at,
        arg_max(type, seq) filter (where type in ('incident.resolved', 'incident.reopened')) as resolution,
        arg_max(happened_at, seq) filter (where type in ('incident.closed', 'incident.reopened')) as closing_at,
        arg_max(type, seq) filter (where type in ('incident.closed', 'incident.reopened')) as closing,
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
reached as (
    select
        incident_id,
        min(happened_at) filter (where milestone = 'detected') as detected_at,
        min(happened_at) filter (where milestone = 'notified') as notified_at,
        min(happened_at) filter (where milestone = 'impact_started') as impact_started_at
    from incident_milestones
    group by incident_id
),
acknowledgements as (
    select
        told.incident_id,
        arg_min(told.happened_at, told.seq) as acknowledged_at,
        arg_min(coalesce(told.actor, told.source), told.seq) as acknowledged_by
    from told
    join folded using (incident_id)
    where told.type = 'incident.acknowledged' and told.seq > folded.begun_again_seq
    group by told.incident_id
),
-- What was reached in this episode without any event that says so.
unsaid as (
    select
        reached.incident_id,
        max(reached.happened_at) filter (where milestone = 'acknowledged') as acknowledged_unsaid_at,
        max(reached.happened_at) filter (where milestone = 'contained') as contained_unsaid_at,
        max(reached.happened_at) filter (where milestone = 'mitigated') as mitigated_unsaid_at,
        max(reached.happened_at) filter (where milestone = 'eradicated') as eradicated_unsaid_at
    from incident_milestones as reached
    join folded using (incident_id)
    where reached.said_at is null
        and (folded.begun_again_at is null or reached.happened_at >= folded.begun_again_at)
    group by reached.incident_id
),
impact as (
    select
        incident_id,
        case when count(*) = count(ended_at) then max(ended_at) end as impact_ended_at
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
    select
        incident_id,
        alert_key,
        arg_max(type, seq) = 'incident.alert_linked' as belongs
    from told
    where type in ('incident.alert_linked', 'incident.alert_unlinked')
    group by incident_id, alert_key
),
alert_counts as (
    select incident_id, count(*) as alert_count from alert_links where belongs group by incident_id
),
standing as (
    select
        incident_id,
        title,
        case
            when is_merged then 'merged'
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
        opened_at,
        declared_at,
        case when containment = 'incident.contained' then containment_at end as contained_at,
        case when eradication = 'incident.eradicated' then eradication_at end as eradicated_at,
        case when resolution = 'incident.resolved' then resolution_at end as resolved_at,
        case when closing = 'incident.closed' then closing_at end as closed_at,
        first_resolved_at,
        first_known_at,
        1 + reopened_count as episode,
        reopened_count,
        case when is_merged then merged_into end as merged_into,
        last_seq,
        updated_at
    from folded
),
-- Laid over each other instead of joined, so that a question about one incident reaches every part.
parts as (
    select * from standing
    union all by name
    select * from reached
    union all by name
    select * from acknowledgements
    union all by name
    select * from unsaid
    union all by name
    select * from impact
    union all by name
    select * from commanders
    union all by name
    select * from alert_counts
)
select
    incident_id,
    max(title) as title,
    max(phase) as phase,
    max(severity) as severity,
    max(severity_declared) as severity_declared,
    max(severity_peak) as severity_peak,
    max(profile) as profile,
    max(service) as service,
    max(determination) as determination,
    max(commander) as commander,
    max(opened_at) as opened_at,
    max(detected_at) as detected_at,
    max(declared_at) as declared_at,
    max(notified_at) as notified_at,
    coalesce(max(acknowledged_at), max(acknowledged_unsaid_at)) as acknowledged_at,
    max(acknowledged_by) as acknowledged_by,
    coalesce(max(contained_at), max(contained_unsaid_at)) as contained_at,
    coalesce(max(impact_ended_at), max(mitigated_unsaid_at)) as mitigated_at,
    coalesce(max(eradicated_at), max(eradicated_unsaid_at)) as eradicated_at,
    max(resolved_at) as resolved_at,
    max(closed_at) as closed_at,
    max(impact_started_at) as impact_started_at,
    coalesce(max(impact_ended_at), max(mitigated_unsaid_at)) as impact_ended_at,
    coalesce(max(first_resolved_at) <= max(first_known_at), false) as retroactive,
    max(first_known_at) as first_known_at,
    max(episode) as episode,
    max(reopened_count) as reopened_count,
    max(merged_into) as merged_into,
    coalesce(max(alert_count), 0) as alert_count,
    max(last_seq) as last_seq,
    max(updated_at) as updated_at
from parts
group by incident_id
-- A page may name an incident that says nothing of itself.
having count(last_seq) > 0
