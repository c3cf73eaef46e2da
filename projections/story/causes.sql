-- What each event answers: an event before it, a payload that was received, or what somebody asked for.
-- grain: one row an event that names its cause, and event of that id
-- key: seq, cause_seq
-- column cause_seq: Position of the event that it answers; 0 when its cause is no event of the log.
-- column cause_stream: Stream of that event; null when its cause is no event of the log.
-- column cause_type: Type of that event; null when its cause is no event of the log.
-- column receipt_seq: Position in INTAKE of the payload that it answers; null when it answers something else.
-- refresh: view
select
    effect.seq,
    effect.stream,
    effect.type,
    effect.causation_id,
    coalesce(cause.seq, 0) as cause_seq,
    cause.stream as cause_stream,
    cause.type as cause_type,
    try_cast(nullif(regexp_extract(effect.causation_id, '^intake-([0-9]+)$', 1), '') as bigint) as receipt_seq
from log as effect
left join log as cause on cause.event_id = effect.causation_id
where effect.causation_id is not null
