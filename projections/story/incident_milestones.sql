-- When an incident reached what: impact_started, detected, notified, acknowledged, declared, contained, mitigated,
-- eradicated, resolved, closed, reopened. An episode ends with a reopening. ``void``: a later fact says that it never
-- was so, because the incident was reopened as mistakenly resolved.
-- ``detected`` is the earliest signal, ``notified`` the first page that a channel took, ``acknowledged`` the first
-- by a person, ``mitigated`` the end of the last impact that began in the episode.
-- grain: one row an incident, milestone and event
-- key: incident_id, milestone, seq
-- refresh: closure
with reopenings as (
    select stream_id as incident_id, list(seq order by seq) as seqs, list(kind order by seq) as kinds
    from incident_reopened
    group by stream_id
),
told as (
    select
        stream_id as incident_id, seq, event_id, type, happened_at, recorded_at,
        coalesce(detected_at, happened_at) as signal_at,
        automatic or actor is null or actor like '%:%' as by_machine
    from incident_facts
    where type in (
        'incident.opened', 'incident.declared', 'incident.acknowledged', 'incident.contained', 'incident.eradicated',
        'incident.resolved', 'incident.closed', 'incident.reopened', 'incident.impact_started'
    )
    union all
    select
        requested.incident_id, sent.seq, sent.event_id, sent.type, sent.happened_at, sent.recorded_at,
        sent.happened_at, true
    from page_sent as sent
    join page_requested as requested using (stream)
),
placed as (
    select
        told.*,
        reopenings.kinds,
        -- How often it was reopened by then; the episode before the first reopening is 1.
        coalesce(len(list_filter(reopenings.seqs, lambda reopened: reopened <= told.seq)), 0) as reopened_before
    from told
    left join reopenings using (incident_id)
),
-- Once an incident: the earliest. Once an episode: the first, whoever else said it again.
earliest as (
    select
        incident_id,
        case when type = 'incident.impact_started' then 'impact_started' else 'detected' end as milestone,
        arg_min(
            {'happened_at': signal_at, 'recorded_at': recorded_at, 'seq': seq, 'event_id': event_id,
             'episode': 1 + reopened_before},
            (signal_at, seq)
        ) as reached
    from placed
    where type in ('incident.opened', 'incident.declared', 'incident.impact_started')
    group by all
),
firsts as (
    select
        incident_id,
        case when type = 'page.sent' then 'notified' else 'acknowledged' end as milestone,
        arg_min(
            {'happened_at': happened_at, 'recorded_at': recorded_at, 'seq': seq, 'event_id': event_id,
             'episode': 1 + reopened_before},
            case when type = 'page.sent' then (happened_at, seq) else (timestamp '1970-01-01', seq) end
        ) as reached
    from placed
    where type = 'page.sent' or (type = 'incident.acknowledged' and not by_machine)
    group by incident_id, milestone, reopened_before
),
begun as (
    select intervals.*, 1 + placed.reopened_before as episode
    from impact_intervals as intervals
    join placed on placed.incident_id = intervals.incident_id and placed.seq = intervals.started_seq
),
mitigations as (
    select
        incident_id,
        episode,
        max(ended_at) as happened_at,
        arg_max(ended_seq, (ended_at, ended_seq)) as seq
    from begun
    group by incident_id, episode
    having count(*) = count(ended_at)
)
select
    incident_id, milestone, reached.happened_at, reached.recorded_at, reached.seq, reached.event_id,
    reached.episode, false as void
from earliest
union all
select
    incident_id, milestone, reached.happened_at, reached.recorded_at, reached.seq, reached.event_id,
    reached.episode, false
from firsts
union all
select
    incident_id, split_part(type, '.', 2), happened_at, recorded_at, seq, event_id, 1 + reopened_before,
    type in ('incident.resolved', 'incident.closed')
        and coalesce(kinds[reopened_before + 1] = 'mistaken', false)
from placed
where type in (
    'incident.declared', 'incident.contained', 'incident.eradicated', 'incident.resolved', 'incident.closed',
    'incident.reopened'
)
union all
select
    mitigations.incident_id, 'mitigated', mitigations.happened_at, ended.recorded_at, mitigations.seq,
    ended.event_id, mitigations.episode, false
from mitigations
join incident_impact_ended as ended on ended.seq = mitigations.seq
