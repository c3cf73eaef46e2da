-- When an incident reached what, as is believed now: impact_started, detected, notified, acknowledged, declared,
-- identified, contained, mitigated, eradicated, resolved, closed, reopened. An episode ends with a reopening. ``void``: a later fact
-- says that it never was so, because the incident was reopened as mistakenly resolved.
-- ``detected`` is the earliest signal, ``notified`` the first page that a channel took, ``acknowledged`` the first
-- by a person, ``identified`` when the cause was known well enough to repair it, ``mitigated`` the end of the last impact
-- that began in the episode.
-- ``said_at`` is what was first said, null when only a correction says it; ``earliest`` and ``latest`` bound a time that
-- is not known precisely; ``corrected_seq`` is the correction that is believed instead, null when none is.
-- grain: one row an incident, milestone and event
-- key: incident_id, milestone, seq
-- refresh: closure
with corrections as (
    select
        stream_id as incident_id,
        replaces_seq,
        milestone = 'detected' as of_signal,
        arg_max(
            {'occurred_at': occurred_at, 'earliest': occurred_earliest_at, 'latest': occurred_latest_at, 'seq': seq}, seq
        ) as latest
    from incident_milestone_corrected
    where replaces_seq > 0
    group by stream_id, replaces_seq, of_signal
),
said as (
    select
        stream_id as incident_id, seq, event_id, type, happened_at, happened_earliest, happened_latest, recorded_at,
        detected_at, automatic or actor is null or actor like '%:%' as by_machine
    from incident_facts
    where type in (
        'incident.opened', 'incident.declared', 'incident.acknowledged', 'incident.contained', 'incident.eradicated',
        'incident.resolved', 'incident.closed', 'incident.reopened', 'incident.impact_started', 'incident.impact_ended',
        'incident.cause_identified'
    )
    union all
    select
        requested.incident_id, sent.seq, sent.event_id, sent.type, sent.happened_at, sent.happened_earliest,
        sent.happened_latest, sent.recorded_at, null, true
    from page_sent as sent
    join (select distinct stream_id, incident_id from page_requested) as requested using (stream_id)
),
-- The time of each event itself.
own as (
    select
        said.*,
        coalesce(corrections.latest.occurred_at, said.happened_at) as own_at,
        case when corrections.replaces_seq is null then said.happened_earliest else corrections.latest.earliest end
            as own_earliest,
        case when corrections.replaces_seq is null then said.happened_latest else corrections.latest.latest end
            as own_latest,
        corrections.latest.seq as own_corrected_seq
    from said
    left join corrections
        on corrections.incident_id = said.incident_id and corrections.replaces_seq = said.seq
        and corrections.of_signal = (said.type = 'incident.opened')
),
reopenings as (
    select
        reopened.stream_id as incident_id,
        list(reopened.seq order by reopened.seq) as seqs,
        list(reopened.kind order by reopened.seq) as kinds,
        list(coalesce(corrections.latest.occurred_at, reopened.happened_at) order by reopened.seq) as times
    from incident_reopened as reopened
    left join corrections
        on corrections.incident_id = reopened.stream_id and corrections.replaces_seq = reopened.seq
        and not corrections.of_signal
    group by reopened.stream_id
),
-- One row for each milestone that an event says. A declaration says two: itself, and the earliest signal.
told as (
    select
        incident_id, seq, event_id, recorded_at, type,
        case type
            when 'incident.opened' then 'detected'
            when 'page.sent' then 'notified'
            when 'incident.impact_ended' then 'mitigated'
            when 'incident.cause_identified' then 'identified'
            else split_part(type, '.', 2)
        end as milestone,
        own_at as happened_at,
        happened_at as said_at,
        own_earliest as earliest,
        own_latest as latest,
        own_corrected_seq as corrected_seq
    from own
    where not (type = 'incident.acknowledged' and by_machine)
    union all by name
    select
        declared.stream_id as incident_id, declared.seq, declared.event_id, declared.recorded_at, declared.type,
        'detected' as milestone,
        coalesce(
            corrections.latest.occurred_at, declared.detected_at, own.latest.occurred_at, declared.happened_at
        ) as happened_at,
        coalesce(declared.detected_at, declared.happened_at) as said_at,
        case
            when corrections.replaces_seq is not null then corrections.latest.earliest
            when declared.detected_at is not null then null
            when own.replaces_seq is not null then own.latest.earliest
            else declared.happened_earliest
        end as earliest,
        case
            when corrections.replaces_seq is not null then corrections.latest.latest
            when declared.detected_at is not null then null
            when own.replaces_seq is not null then own.latest.latest
            else declared.happened_latest
        end as latest,
        coalesce(corrections.latest.seq, case when declared.detected_at is null then own.latest.seq end)
            as corrected_seq
    from incident_declared as declared
    left join corrections
        on corrections.incident_id = declared.stream_id and corrections.replaces_seq = declared.seq
        and corrections.of_signal
    left join corrections as own
        on own.incident_id = declared.stream_id and own.replaces_seq = declared.seq and not own.of_signal
),
-- Milestones that no event says, but a correction; the last one of each.
asserted as (
    select incident_id, milestone, latest.*
    from (
        select
            stream_id as incident_id,
            milestone,
            arg_max(
                {'seq': seq, 'event_id': event_id, 'recorded_at': recorded_at, 'happened_at': occurred_at,
                 'earliest': occurred_earliest_at, 'latest': occurred_latest_at, 'corrected_seq': seq},
                seq
            ) as latest
        from incident_milestone_corrected
        where replaces_seq = 0
        group by stream_id, milestone
    )
),
placed as materialized (
    select
        told.*,
        reopenings.kinds,
        -- How often it was reopened by then; the episode before the first reopening is 1.
        coalesce(len(list_filter(reopenings.seqs, lambda reopened: reopened <= told.seq)), 0) as reopened_before
    from told
    left join reopenings using (incident_id)
),
placed_by_time as (
    select
        asserted.*,
        coalesce(len(list_filter(reopenings.times, lambda reopened: reopened <= asserted.happened_at)), 0)
            as reopened_before
    from asserted
    left join reopenings using (incident_id)
),
candidates as (
    from placed
    union all by name
    -- It stands while no event of the same episode says it.
    from placed_by_time
    anti join (from placed semi join asserted using (incident_id, milestone))
        using (incident_id, milestone, reopened_before)
),
-- Once an incident: the earliest. Once an episode: the first, whoever else said it again.
reached as (
    select incident_id, milestone, arg_min(seq, epoch_us(happened_at) * cast(1e12 as hugeint) + seq) as seq
    from candidates
    where milestone in ('detected', 'impact_started', 'identified')
    group by incident_id, milestone
    union all
    select
        incident_id, milestone,
        arg_min(seq, case when milestone = 'notified' then epoch_us(happened_at) else 0 end * cast(1e12 as hugeint) + seq)
    from candidates
    where milestone in ('notified', 'acknowledged')
    group by incident_id, milestone, reopened_before
),
begun as (
    select intervals.*, placed.reopened_before
    from impact_intervals as intervals
    join placed
        on placed.incident_id = intervals.incident_id and placed.seq = intervals.started_seq
        and placed.milestone = 'impact_started'
),
last_ends as (
    select incident_id, reopened_before, arg_max(ended_seq, (ended_at, ended_seq)) as seq
    from begun
    group by incident_id, reopened_before
    having count(*) = count(ended_at)
)
select
    incident_id, milestone, happened_at, said_at, earliest, latest, corrected_seq, recorded_at, seq, event_id,
    1 + reopened_before as episode, false as void
from candidates
semi join reached using (incident_id, milestone, seq)
union all
select
    incident_id, milestone, happened_at, said_at, earliest, latest, corrected_seq, recorded_at, seq, event_id,
    1 + reopened_before,
    milestone in ('resolved', 'closed') and coalesce(kinds[reopened_before + 1] = 'mistaken', false)
from candidates
where milestone in ('declared', 'contained', 'eradicated', 'resolved', 'closed', 'reopened')
union all
select
    ended.incident_id, 'mitigated', ended.happened_at, ended.said_at, ended.earliest, ended.latest,
    ended.corrected_seq, ended.recorded_at, ended.seq, ended.event_id, 1 + last_ends.reopened_before, false
from last_ends
join placed as ended using (incident_id, seq)
where ended.milestone = 'mitigated'
union all
select
    incident_id, milestone, happened_at, said_at, earliest, latest, corrected_seq, recorded_at, seq, event_id,
    1 + reopened_before, false
from candidates
where milestone = 'mitigated' and said_at is null
