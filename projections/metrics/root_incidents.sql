-- The incident that carries each incident on: itself, or what it was merged into, through any number of merges.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with recursive climb as (
    select incident_id, incident_id as root_incident_id, merged_into, 0 as merges
    from incidents
    union all
    select climb.incident_id, parent.incident_id, parent.merged_into, climb.merges + 1
    from climb
    join incidents as parent on parent.incident_id = climb.merged_into
    -- Merges cannot form a circle; the bound only keeps a damaged log from asking for ever.
    where climb.merges < 1000
)
select incident_id, arg_max(root_incident_id, merges) as root_incident_id
from climb
group by incident_id
