-- Messages that a service could not use and set aside; ``state`` is waiting, handled or failed_again.
-- grain: one row a dead letter
-- key: dead_letter_id
-- column state: waiting, handled or failed_again.
-- refresh: stream
select
    stream_id as dead_letter_id,
    arg_max(service, seq) as service,
    arg_max(source_stream, seq) as source_stream,
    arg_max(source_seq, seq) as source_seq,
    arg_max(source_subject, seq) as source_subject,
    arg_max(error, seq) filter (where error <> '') as error,
    coalesce(arg_max(outcome, seq), 'waiting') as state,
    arg_min(recorded_at, seq) as recorded_at
from deadletter_facts
group by stream_id
