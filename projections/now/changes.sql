-- Changes that senders told of (deployments, configuration, feature flags), as far as each has got.
-- What was told out of order counts by the sender's clock.
-- grain: one row a change
-- key: change_key
-- refresh: stream
-- column change_key: Which change: hash of the integration key and the sender's own id.
-- column kind: What sort of change, in the sender's words: `deployment`, `service.rolledback`.
-- column outcome: `started`, `finished`, `failed`, or the sender's own word; null when it does not say.
-- column environment: Where it was made, such as `production`.
-- column version: What was changed to.
-- column began_at: When it was told of first, by the sender's clock.
-- column changed_at: When it got as far as it has, by the sender's clock.
-- column labels: What else the sender says of it.
select
    stream_id as change_key,
    arg_max(title, (happened_at, seq)) as title,
    arg_max(nullif(kind, ''), (happened_at, seq)) as kind,
    arg_max(nullif(outcome, ''), (happened_at, seq)) as outcome,
    arg_max(nullif(service, ''), seq) as service,
    arg_max(nullif(environment, ''), seq) as environment,
    arg_max(nullif(version, ''), seq) as version,
    arg_max(nullif(url, ''), seq) as url,
    arg_max(labels, seq) as labels,
    min(happened_at) as began_at,
    max(happened_at) as changed_at,
    arg_max(sender, seq) as sender,
    arg_max(integration, seq) as integration,
    arg_max(external_id, seq) as external_id,
    max(receipt_seq) as receipt_seq,
    max(seq) as last_seq
from change_facts
group by stream_id
