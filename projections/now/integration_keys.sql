-- What senders present to intake: which adapter a key may speak to, and whether it was revoked.
-- grain: one row an integration key
-- key: key_id
-- refresh: stream
select
    stream_id as key_id,
    arg_max(sender, seq) as sender,
    arg_max(nullif(name, ''), seq) as name,
    arg_max(nullif(service, ''), seq) as service,
    arg_min(happened_at, seq) filter (where type = 'key.created') as created_at,
    arg_min(happened_at, seq) filter (where type = 'key.revoked') as revoked_at
from key_facts
group by stream_id
