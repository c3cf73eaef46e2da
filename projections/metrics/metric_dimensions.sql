-- What figures about incidents are broken down by. ``team`` is the rotation that was to be paged first, null when none
-- was. ``source`` is what found the incident: ``person``, or the sender of its first alert when a rule opened it, else
-- whatever said so first.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with teams as (
    select
        incident_id,
        arg_min(split_part(target, '.', 2), (requested_at is null, requested_at, page_id)) as team
    from pages
    where target like 'rotation.%'
    group by incident_id
),
senders as (
    select links.stream, arg_min(alerts.sender, links.seq) as sender
    from links
    join alerts on links.other = 'alert.' || alerts.alert_key
    where links.category = 'incident'
    group by links.stream
),
openings as (
    select milestones.incident_id, arg_min(found.actor, found.seq) as actor, arg_min(found.source, found.seq) as source
    from incident_milestones as milestones
    join log as found on found.seq = milestones.seq
    where milestones.milestone = 'detected'
    group by milestones.incident_id
)
select
    incidents.incident_id,
    incidents.service,
    teams.team,
    case
        when openings.actor not like '%:%' then 'person'
        else coalesce(senders.sender, openings.source)
    end as source,
    incidents.severity_declared,
    incidents.severity_peak,
    incidents.severity as severity_final,
    incidents.profile,
    incidents.detected_at
from incidents
left join openings using (incident_id)
left join teams using (incident_id)
left join senders on senders.stream = 'incident.' || incidents.incident_id
