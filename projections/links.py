"""The view ``links``: which streams belong together, by the facts that say so.

It is what a closure projection is refreshed along (`projections.refresh`), so it is part of the machinery and not a
file that anybody may change alone. Each of its rows comes from one event, so new events only add rows.
"""

NAME = "links"

SENTENCE = "Which streams belong together, by the events that say so."
GRAIN = "one row an event that names another stream"
KEY = ("seq", "other")

SQL = """
select seq, stream, 'incident' as category, 'alert.' || alert_key as other, 'alert' as other_category
from incident_alert_linked
union all
select seq, stream, 'incident', 'incident.' || into_incident_id, 'incident'
from incident_merged
union all
select seq, stream, 'page', 'incident.' || incident_id, 'incident'
from page_requested
union all
select seq, stream, 'page', 'incident.' || incident_id, 'incident'
from page_withheld
"""

STREAMS_OF_ONE_ID = ("incident", "escalation", "review")
"""Categories whose streams carry the id of the same incident: they are linked without any fact that says so."""
