-- Which streams belong together, by the events that say so. A projection over several streams finds its parts here.
-- grain: one row an event that names another stream
-- key: seq, other
-- refresh: event
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
