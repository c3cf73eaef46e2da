-- What senders present to intake: which adapter a key may speak to, when it was used, and whether it was revoked.
-- grain: one row an integration key
-- key: key_id
-- refresh: stream
-- column rotated_at: When it got its present secret; NULL when it has its first.
-- column former_until_at: How long the secret before that is accepted; NULL when it is not.
-- column is_signed: Whether what comes with it is accepted with its sender's signature only, by a secret that was told to it.
-- column last_used_at: When it was used first on the last day (UTC) of its use; a key is told to be used once a day.
select
    stream_id as key_id,
    arg_max(sender, seq) as sender,
    arg_max(nullif(name, ''), seq) as name,
    arg_max(nullif(service, ''), seq) as service,
    arg_min(happened_at, seq) filter (where type = 'key.created') as created_at,
    arg_max(happened_at, seq) filter (where type = 'key.rotated') as rotated_at,
    arg_max(former_until_at, seq) filter (where type = 'key.rotated') as former_until_at,
    coalesce(arg_max(signing_id, seq) filter (where type = 'key.signing_changed'), '') <> '' as is_signed,
    max(happened_at) filter (where type = 'key.used') as last_used_at,
    arg_min(happened_at, seq) filter (where type = 'key.revoked') as revoked_at
from key_facts
group by stream_id
