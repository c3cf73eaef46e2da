-- Every page and how far it came. ``withheld`` pages were not sent and say why; ``possibly_duplicate`` ones may have
-- reached the person twice.
-- grain: one row a page
-- key: page_id
-- column level: Which level of the policy asked for it, from 1.
-- column state: requested, attempted, sent, answered, failed or withheld.
-- refresh: stream
with folded as (
    select
        stream_id as page_id,
        arg_max(incident_id, seq) as incident_id,
        arg_max(nullif(person_id, ''), seq) as person_id,
        arg_max(nullif(target, ''), seq) as target,
        arg_max(run, seq) as run,
        arg_max(round, seq) as round,
        arg_max(level, seq) as level,
        count(*) filter (where type = 'page.answered') > 0 as is_answered,
        count(*) filter (where type = 'page.withheld') > 0 as is_withheld,
        count(*) filter (where type = 'page.sent') > 0 as is_sent,
        arg_max(type, seq) filter (
            where type = 'page.attempted' or (type = 'page.failed' and final)
        ) as last_attempt,
        arg_min(happened_at, seq) filter (where type = 'page.requested') as requested_at,
        arg_min(happened_at, seq) filter (where type = 'page.sent') as sent_at,
        arg_min(happened_at, seq) filter (where type = 'page.answered') as answered_at,
        arg_max(channel, seq) as channel,
        count(*) filter (where type = 'page.attempted') as attempts,
        coalesce(bool_or(possibly_duplicate), false) as possibly_duplicate,
        arg_max(error, seq) as error,
        arg_max(reason, seq) filter (where type = 'page.withheld') as withheld_reason
    from page_facts
    group by stream_id
)
select
    page_id,
    incident_id,
    person_id,
    target,
    run,
    round,
    level,
    case
        when is_answered then 'answered'
        when is_withheld then 'withheld'
        when is_sent then 'sent'
        when last_attempt is not null then split_part(last_attempt, '.', 2)
        else 'requested'
    end as state,
    requested_at,
    sent_at,
    answered_at,
    channel,
    attempts,
    possibly_duplicate,
    error,
    withheld_reason
from folded
