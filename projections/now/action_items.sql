-- What was agreed so that it is less likely, or less bad, next time; ``state`` is open, done or dropped.
-- grain: one row an action item
-- key: incident_id, action_id
-- column state: open, done or dropped.
-- refresh: stream
select
    stream_id as incident_id,
    action_id,
    arg_max(text, seq) filter (where type = 'review.action_agreed') as text,
    arg_max(purpose, seq) filter (where type = 'review.action_agreed') as purpose,
    nullif(arg_max(owner_id, seq) filter (where type = 'review.action_agreed'), '') as owner_id,
    try_cast(arg_max(due_on, seq) filter (where type = 'review.action_agreed') as date) as due_on,
    case
        when arg_max(type, seq) = 'review.action_agreed' then 'open'
        when arg_max(dropped, seq) then 'dropped'
        else 'done'
    end as state,
    arg_min(happened_at, seq) filter (where type = 'review.action_agreed') as agreed_at,
    case
        when arg_max(type, seq) = 'review.action_done' then arg_max(happened_at, seq)
    end as done_at
from review_facts
where type in ('review.action_agreed', 'review.action_done')
group by stream_id, action_id
