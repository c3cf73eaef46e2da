-- How often what was resolved came back within 14 days: incidents that relapsed, which were really resolved, and those
-- that were resolved by mistake, apart from each other. Incidents are counted once however often they came back, in the
-- month in which they were detected. ``pending`` are not yet resolved for 14 days and may still come back.
-- Counts can be added up over rows, and a rate computed from the sums; rates cannot be averaged.
-- metric: reopen_rate, version 1
-- population: root incidents that are or may be real and were resolved at least once
-- column resolved: How many were resolved at least once.
-- grain: one row a month, service, team and declared severity
-- key: month, service, team, severity_declared
-- refresh: view
with resolutions as (
    select incident_id, episode, max(happened_at) as resolved_at
    from incident_milestones
    where milestone = 'resolved'
    group by incident_id, episode
),
returns as (
    select
        resolutions.incident_id,
        bool_or(reopened.kind = 'relapse') as relapsed,
        bool_or(reopened.kind = 'mistaken') as mistaken
    from resolutions
    join incident_milestones as returned
        on returned.incident_id = resolutions.incident_id and returned.episode = resolutions.episode + 1
        and returned.milestone = 'reopened'
    join incident_reopened as reopened on reopened.seq = returned.seq
    where returned.happened_at <= resolutions.resolved_at + interval 14 days
    group by resolutions.incident_id
),
counted as (
    select
        date_trunc('month', population.detected.happened_at) as month,
        dimensions.service,
        dimensions.team,
        dimensions.severity_declared,
        coalesce(returns.relapsed, false) as relapsed,
        coalesce(returns.mistaken, false) as mistaken,
        not population.settled as pending
    from metric_population as population
    join metric_dimensions as dimensions using (incident_id)
    left join returns using (incident_id)
    where population.excluded_because is null
        and exists (from resolutions where resolutions.incident_id = population.incident_id)
)
select
    month,
    service,
    team,
    severity_declared,
    count(*) as resolved,
    count(*) filter (where relapsed) as relapsed,
    count(*) filter (where mistaken) as mistaken,
    count(*) filter (where pending and not relapsed and not mistaken) as pending,
    count(*) filter (where relapsed) / count(*) as relapse_rate,
    count(*) filter (where mistaken) / count(*) as mistake_rate
from counted
group by month, service, team, severity_declared
