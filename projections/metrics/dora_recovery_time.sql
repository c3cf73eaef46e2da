-- Failed deployment recovery time (DORA, DevOps Research and Assessment): from a deployment that somebody says caused the
-- incident, or one merged into it, to the first resolution that was not taken back as mistaken. It begins when the
-- deployment was made, also where its harm showed later; `ttr_recover` begins with the harm.
-- A deployment is recovered from once: of several incidents that it caused, the one that was resolved last counts. An
-- incident that several deployments caused began with the first of those that count with it.
-- metric: dora_recovery_time, version 1
-- population: root incidents that are or may be real and that a deployment to production caused, as somebody says
-- starts: deployed
-- ends: first_resolved
-- open: not resolved yet
-- excluded: nobody says that a deployment caused it; counted with another incident; resolved before it was deployed
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with causes as (
    select distinct roots.root_incident_id as incident_id, links.change_key
    from incident_changes as links
    join root_incidents as roots using (incident_id)
    where links.part = 'cause'
),
recovered as (
    select
        deployments.change_key,
        deployments.deployed,
        arg_max(
            population.incident_id,
            (coalesce(population.first_resolved.happened_at, timestamp 'infinity'), population.incident_id)
        ) as incident_id
    from dora_deployments as deployments
    join causes using (change_key)
    join metric_population as population using (incident_id)
    where deployments.excluded_because is null and population.excluded_because is null
    group by deployments.change_key, deployments.deployed
),
starts as (
    select
        causes.incident_id,
        min(recovered.deployed) filter (where recovered.incident_id = causes.incident_id) as deployed,
        max(recovered.incident_id) as counted_with
    from causes
    join recovered using (change_key)
    group by causes.incident_id
),
spans as (
    select
        population.incident_id,
        population.service,
        population.severity,
        starts.deployed as started,
        population.first_resolved as ended,
        case
            when population.excluded_because is not null then population.excluded_because
            when starts.counted_with is null then 'no deployment to production is said to have caused it'
            when starts.deployed is null then 'its deployment is counted with ' || starts.counted_with
            when population.first_resolved is null then 'not resolved'
            when population.first_resolved.happened_at < starts.deployed.happened_at
                then 'resolved before it was deployed'
        end as reason,
        case
            when population.excluded_because is null and starts.deployed is not null
                and population.first_resolved is null and population.stands
                then population.moment
        end as known_until
    from metric_population as population
    left join starts using (incident_id)
)
select
    incident_id,
    service,
    severity,
    started.happened_at as started_at,
    ended.happened_at as ended_at,
    case when reason is null then (epoch_us(ended.happened_at) - epoch_us(started.happened_at)) / 1000000 end as duration_s,
    case when reason is null then 'measured' when known_until is not null then 'censored' else 'excluded' end as state,
    reason as excluded_because,
    started,
    ended,
    known_until
from spans
