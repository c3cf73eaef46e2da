-- Events whose bytes could not be read: they keep their place in the log, and nothing else shows them.
-- grain: one row an unreadable event
-- key: seq
-- refresh: view
select
    seq,
    stream,
    type,
    recorded_at,
    case when event_id is null then 'the body is not a JSON event' else 'the event has no data' end as reason
-- Not ``log``, which makes a VARIANT of every body.
from log_rows
where data is null
