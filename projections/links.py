"""The view ``links``: which streams belong together, by the facts that say so.

It is what a closure projection is refreshed along (`projections.refresh`), so it is part of the machinery and not a
file that anybody may change alone. Each of its rows comes from one event, so new events only add rows; one that was
taken back stays, because what it linked must still be looked at.
"""

NAME = "links"

SENTENCE = "Which streams belong together, by the events that say so."
GRAIN = "one row an event that names another stream"
KEY = ("seq", "other")
READS = frozenset(
    {"incident.alert_linked", "incident.merged", "page.requested", "page.withheld", "incident.event_retracted"}
)

SQL = """
with named as (
    select seq, 'incident' as category, stream_id, 'alert' as other_category, fact.alert_key as other_id
    from incident_rows
    where type = 'incident.alert_linked'
    union all
    select seq, 'incident', stream_id, 'incident', fact.into_incident_id
    from incident_rows
    where type = 'incident.merged'
    union all
    select seq, 'page', stream_id, 'incident', fact.incident_id
    from page_rows
    where type in ('page.requested', 'page.withheld')
    union all
    select
        seq, 'incident', stream_id, split_part(fact.event_stream, '.', 1),
        substr(fact.event_stream, strpos(fact.event_stream, '.') + 1)
    from incident_rows
    where type = 'incident.event_retracted' and fact.event_stream <> 'incident.' || stream_id
)
select
    seq, category || '.' || stream_id as stream, category, stream_id, other_category || '.' || other_id as other,
    other_category, other_id
from named
"""

STREAMS_OF_ONE_ID = ("incident", "escalation", "review")
"""Categories whose streams carry the id of the same incident: they are linked without any fact that says so."""
