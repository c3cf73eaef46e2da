-- Senders that must say something from time to time, and how they stand. Pings are no facts, so the last one is known
-- only of a heartbeat that was missed.
-- grain: one row a heartbeat
-- key: heartbeat_id
-- column state: expected, missed, paused, unexpected (pings come and nobody expects them) or removed.
-- column missed_at: When the present or last missed ping was due.
-- column returned_at: When pings came again the last time.
-- column last_ping_at: The last ping before it was missed; null when none ever came, or it never was.
-- refresh: stream
with folded as (
    select
        stream_id as heartbeat_id,
        arg_max(type, seq) filter (where type in ('heartbeat.configured', 'heartbeat.removed')) as last_setting,
        arg_max(type, seq) as last_step,
        -- A pause ends a miss; being configured anew does not.
        arg_max(type, seq) filter (
            where type in ('heartbeat.missed', 'heartbeat.returned', 'heartbeat.removed')
            or (type = 'heartbeat.configured' and paused)
        ) as last_sign,
        arg_max(name, seq) filter (where type = 'heartbeat.configured') as name,
        arg_max(every_s, seq) filter (where type = 'heartbeat.configured') as every_s,
        arg_max(grace_s, seq) filter (where type = 'heartbeat.configured') as grace_s,
        arg_max(severity, seq) filter (where type = 'heartbeat.configured') as severity,
        arg_max(service, seq) filter (where type = 'heartbeat.configured') as service,
        coalesce(arg_max(paused, seq) filter (where type = 'heartbeat.configured'), false) as paused,
        arg_max(happened_at, seq) filter (where type = 'heartbeat.configured') as configured_at,
        arg_max(happened_at, seq) filter (where type = 'heartbeat.missed') as missed_at,
        arg_max(happened_at, seq) filter (where type = 'heartbeat.returned') as returned_at,
        arg_max(last_ping_at, seq) filter (where type = 'heartbeat.missed') as last_ping_at
    from heartbeat_facts
    group by stream_id
)
select
    heartbeat_id,
    coalesce(name, heartbeat_id) as name,
    case
        when last_step = 'heartbeat.unexpected' then 'unexpected'
        when last_setting = 'heartbeat.removed' then 'removed'
        when paused then 'paused'
        when last_sign = 'heartbeat.missed' then 'missed'
        else 'expected'
    end as state,
    every_s,
    grace_s,
    severity,
    nullif(service, '') as service,
    configured_at,
    missed_at,
    returned_at,
    last_ping_at
from folded
