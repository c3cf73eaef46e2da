-- Every silence with the time for which it holds alerts back, who made it and why, and how many alerts it has held back.
-- Whether it lasts at a moment is a comparison with `starts_at` and `ends_at`.
-- grain: one row a silence
-- key: silence_id
-- refresh: stream
-- column silence_id: Which silence.
-- column matchers: In Alertmanager's syntax, one each. An alert must fit all of them.
-- column ends_at: When it ends: as said last, or earlier when somebody ended it.
-- column created_by: Who made it; a maintenance window is one that begins after it was made.
-- column ended_at: When somebody ended it before its time; null when nobody did.
-- column ended_by: Who ended it before its time; null when nobody did.
-- column ended_reason: Why; null when they did not say.
-- column held_ever: How many distinct alerts it has held back.
-- column held_last_at: When it held one back last; null when it never did.
with folded as (
    select
        stream_id as silence_id,
        arg_max(matchers, seq) filter (where type = 'silence.created') as matchers,
        arg_max(starts_at, seq) filter (where type in ('silence.created', 'silence.changed')) as starts_at,
        arg_max(ends_at, seq) filter (where type in ('silence.created', 'silence.changed')) as said_ends_at,
        arg_max(reason, seq) filter (where type in ('silence.created', 'silence.changed')) as reason,
        arg_min(coalesce(nullif(actor, ''), source), seq) filter (where type = 'silence.created') as created_by,
        min(happened_at) filter (where type = 'silence.created') as created_at,
        min(happened_at) filter (where type = 'silence.ended') as ended_at,
        arg_min(coalesce(nullif(actor, ''), source), seq) filter (where type = 'silence.ended') as ended_by,
        arg_min(nullif(reason, ''), seq) filter (where type = 'silence.ended') as ended_reason,
        count(distinct alert_key) filter (where type = 'silence.alert_held') as held_ever,
        max(happened_at) filter (where type = 'silence.alert_held') as held_last_at,
        max(seq) as last_seq
    from silence_facts
    group by stream_id
)
select
    silence_id,
    matchers,
    starts_at,
    least(said_ends_at, coalesce(ended_at, said_ends_at)) as ends_at,
    reason,
    created_by,
    created_at,
    ended_at,
    ended_by,
    ended_reason,
    held_ever,
    held_last_at,
    last_seq
from folded
where matchers is not null
