-- What waits for somebody: incidents not resolved, reviews not closed, pages not answered, actions not done, dead
-- letters not handled. ``owner`` is a person id, or a service for a dead letter.
-- grain: one row a piece of work
-- key: kind, id
-- column kind: incident, review, page, action or dead_letter.
-- refresh: view
select
    'incident' as kind, incident_id as id, incident_id, title, severity, opened_at as since, commander as owner
from incidents
where phase in ('triage', 'active', 'contained', 'eradicated')
union all
select 'review', incident_id, incident_id, title, severity, resolved_at, commander
from incidents
where phase = 'resolved'
union all
select 'page', pages.page_id, pages.incident_id, incidents.title, incidents.severity, pages.requested_at, pages.person_id
from pages
join incidents using (incident_id)
where pages.state in ('requested', 'attempted', 'sent', 'failed')
    and incidents.acknowledged_at is null
    and incidents.phase in ('triage', 'active', 'contained', 'eradicated')
union all
select
    'action', items.incident_id || '/' || items.action_id, items.incident_id, items.text, incidents.severity,
    items.agreed_at, items.owner_id
from action_items as items
left join incidents using (incident_id)
where items.state = 'open'
union all
select 'dead_letter', dead_letter_id, null, error, null, recorded_at, service
from dead_letters
where state <> 'handled'
