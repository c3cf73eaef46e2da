-- Everything that happened around an incident, in log order: its own facts, its escalation and review, the pages sent
-- for it, and what its alerts did while they belonged to it. What was taken back stays, with the position of the event
-- that took it back in ``retracted_by_seq``.
-- grain: one row an event and incident
-- key: incident_id, seq
-- refresh: view
with page_incidents as (
    select stream, incident_id from page_requested
    union
    select stream, incident_id from page_withheld
),
occurrences as (
    select
        stream,
        seq,
        coalesce(max(occurrence) over (partition by stream order by seq), 0) as occurrence
    from alert_facts
),
joined as (
    select seq, stream_id as incident_id
    from history
    where category in ('incident', 'escalation', 'review')
    union
    select told.seq, page_incidents.incident_id
    from history as told
    join page_incidents using (stream)
    union
    select occurrences.seq, linked.stream_id
    from occurrences
    join incident_alert_linked as linked
        on occurrences.stream = 'alert.' || linked.alert_key and occurrences.occurrence = linked.occurrence
    union
    -- What this incident took back, in whichever stream it lies.
    select told.seq, retraction.stream_id
    from history as told
    join incident_event_retracted as retraction on told.retracted_by_seq = retraction.seq
)
select
    joined.incident_id,
    told.seq,
    told.stream,
    told.type,
    told.happened_at,
    told.recorded_at,
    coalesce(told.actor, told.source) as actor,
    told.headline,
    told.event_id,
    told.causation_id,
    told.retracted_by_seq
from joined
join history as told using (seq)
