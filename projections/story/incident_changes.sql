-- Which changes caused an incident and which were made to end it, as somebody says and has not taken back. None of it
-- follows from times alone.
-- grain: one row an incident, change and part
-- key: incident_id, change_key, part
-- column change_key: Which change, as in `changes`.
-- column part: `cause` or `remedy`.
-- column title: What the change was called when that was said.
-- column said_by: Who said so last: a person id, or a service.
-- column said_at: When that was said last.
-- column said_seq: Position of the event that says so.
-- refresh: stream
with said as (
    select
        stream_id as incident_id,
        change_key,
        part,
        arg_max(
            {
                'linked': type = 'incident.change_linked', 'title': title, 'reason': nullif(reason, ''),
                'said_by': coalesce(actor, source), 'said_at': happened_at, 'said_seq': seq
            },
            seq
        ) as last
    from incident_facts
    where type in ('incident.change_linked', 'incident.change_unlinked')
    group by stream_id, change_key, part
)
select
    incident_id, change_key, part, last.title as title, last.reason as reason, last.said_by as said_by,
    last.said_at as said_at, last.said_seq as said_seq
from said
where last.linked
