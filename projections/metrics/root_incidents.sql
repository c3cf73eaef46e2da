-- The incident that carries each incident on: itself, or what it was merged into, through any number of merges.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with recursive climb as (
    select incident_id, merged_into as root_incident_id, 1 as merges
    from incidents
    where merged_into is not null
    union all
    select climb.incident_id, parent.merged_into, climb.merges + 1
    from climb
    join incidents as parent on parent.incident_id = climb.root_incident_id
    -- Merges cannot form a circle; the bound only keeps a damaged log from asking for ever.
    where parent.merged_into is not null and climb.merges < 1000
),
roots as (
    select incident_id, arg_max(root_incident_id, merges) as root_incident_id
    from climb
    group by incident_id
)
select incidents.incident_id, coalesce(roots.root_incident_id, incidents.incident_id) as root_incident_id
from incidents
left join roots using (incident_id)
