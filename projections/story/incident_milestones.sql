-- When an incident reached what: impact_started, detected, notified, acknowledged, declared, contained, mitigated,
-- eradicated, resolved, closed, reopened. An episode ends with a reopening. ``void``: a later fact says that it never
-- was so, because the incident was reopened as mistakenly resolved.
-- ``detected`` is the earliest signal, ``notified`` the first page that a channel took, ``acknowledged`` the first
-- by a person, ``mitigated`` the end of the last impact that began in the episode.
-- grain: one row an incident, milestone and event
-- key: incident_id, milestone, seq
-- refresh: closure
with told as (
    select
        stream_id as incident_id, seq, event_id, type, happened_at, recorded_at, kind,
        coalesce(detected_at, happened_at) as signal_at,
        automatic or actor is null or actor like '%:%' as by_machine
    from incident_facts
    union all
    select
        requested.incident_id, sent.seq, sent.event_id, sent.type, sent.happened_at, sent.recorded_at, null,
        sent.happened_at, true
    from page_sent as sent
    join page_requested as requested using (stream)
),
placed as (
    select
        *,
        1 + count(*) filter (where type = 'incident.reopened') over (
            partition by incident_id order by seq
        ) as episode,
        coalesce(
            arg_min(kind, seq) filter (where type = 'incident.reopened') over (
                partition by incident_id order by seq rows between 1 following and unbounded following
            ) = 'mistaken',
            false
        ) as undone
    from told
),
-- In an episode the first counts of what may be said again by others, and of what is said once, each.
candidates as (
    select incident_id, 'impact_started' as milestone, happened_at, recorded_at, seq, event_id, episode, false as void,
        row_number() over (partition by incident_id order by happened_at, seq) as rank
    from placed
    where type = 'incident.impact_started'
    union all
    select incident_id, 'detected', signal_at, recorded_at, seq, event_id, episode, false,
        row_number() over (partition by incident_id order by signal_at, seq)
    from placed
    where type in ('incident.opened', 'incident.declared')
    union all
    select incident_id, 'notified', happened_at, recorded_at, seq, event_id, episode, false,
        row_number() over (partition by incident_id, episode order by happened_at, seq)
    from placed
    where type = 'page.sent'
    union all
    select incident_id, 'acknowledged', happened_at, recorded_at, seq, event_id, episode, false,
        row_number() over (partition by incident_id, episode order by seq)
    from placed
    where type = 'incident.acknowledged' and not by_machine
    union all
    select incident_id, split_part(type, '.', 2), happened_at, recorded_at, seq, event_id, episode,
        undone and type in ('incident.resolved', 'incident.closed'), 1
    from placed
    where type in (
        'incident.declared', 'incident.contained', 'incident.eradicated', 'incident.resolved', 'incident.closed',
        'incident.reopened'
    )
),
impact as (
    select intervals.*, placed.episode
    from impact_intervals as intervals
    join placed on placed.incident_id = intervals.incident_id and placed.seq = intervals.started_seq
),
mitigations as (
    select
        incident_id,
        episode,
        max(ended_at) as happened_at,
        arg_max(ended_seq, (ended_at, ended_seq)) as seq
    from impact
    group by incident_id, episode
    having count(*) = count(ended_at)
)
select incident_id, milestone, happened_at, recorded_at, seq, event_id, episode, void
from candidates
where rank = 1
union all
select
    mitigations.incident_id, 'mitigated', mitigations.happened_at, placed.recorded_at, mitigations.seq,
    placed.event_id, mitigations.episode, false
from mitigations
join placed using (incident_id, seq)
