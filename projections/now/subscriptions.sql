-- Topics of senders that asked to be confirmed, such as those of Amazon SNS, and how the last question of each ended.
-- grain: one row an integration key and topic
-- key: key_id, topic
-- column topic: What the sender calls it, such as the ARN of a topic.
-- column state: asked, confirmed, or failed: then the sender sends nothing.
-- column because: Why it was not confirmed.
-- column subscription: What the sender calls the subscription.
-- column asked_at: When the sender asked last.
-- column answered_at: When that was answered.
-- refresh: view
with questions as (
    select
        stream_id as key_id,
        topic,
        receipt_seq,
        max(seq) as seq,
        replace(arg_max(type, seq), 'key.subscription_', '') as state,
        arg_max(because, seq) as because,
        arg_max(nullif(subscription, ''), seq) as subscription,
        max(happened_at) filter (where type = 'key.subscription_asked') as asked_at,
        max(happened_at) filter (where type <> 'key.subscription_asked') as answered_at
    from key_facts
    where type in ('key.subscription_asked', 'key.subscription_confirmed', 'key.subscription_failed')
    group by stream_id, topic, receipt_seq
)

select key_id, topic, state, because, subscription, asked_at, answered_at
from questions
qualify row_number() over (partition by key_id, topic order by seq desc) = 1
