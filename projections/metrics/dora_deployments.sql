-- Every change that was a deployment (DORA, DevOps Research and Assessment), what is said that it caused or mended, and
-- why it is not counted, if it is not.
-- A deployment is a change of the kind deployment, targetrollout, service.deployed, service.upgraded or
-- service.rolledback, or a change event of PagerDuty, which names no kind. A pipeline that sends two of these for one
-- deployment has it counted twice. It is counted once it finished, where the sender names no environment, or one that
-- begins with ``prod`` or ``live``; and whatever its outcome when it caused an incident.
-- ``failed``: somebody says that it caused an incident (`incident_changes`) that is or may be real; a time shortly before
-- one says nothing. ``rework``: somebody says that it was made to end one.
-- metric: dora_deployments, version 1
-- grain: one row a deployment
-- key: change_key
-- column change_key: Which change, as in `changes`.
-- column month: The month in which it was made.
-- column deployed_at: When it was made: when it got as far as it has, by the sender's clock.
-- column deployed: The same with the event that says so.
-- column failed: Whether somebody says that it caused an incident.
-- column rework: Whether somebody says that it was made to end an incident.
-- column excluded_because: Why it is not counted; null when it is.
-- refresh: view
with told as (
    select
        stream_id as change_key,
        arg_max(
            {
                'happened_at': happened_at, 'seq': seq, 'event_id': event_id,
                'earliest': happened_earliest, 'latest': happened_latest
            },
            (happened_at, seq)
        ) as deployed
    from change_facts
    group by stream_id
),
parts as (
    select
        links.change_key,
        coalesce(bool_or(links.part = 'cause'), false) as failed,
        coalesce(bool_or(links.part = 'remedy'), false) as rework
    from incident_changes as links
    join root_incidents as roots using (incident_id)
    join metric_population as population on population.incident_id = roots.root_incident_id
    where population.excluded_because is null
    group by links.change_key
)
select
    changes.change_key,
    date_trunc('month', told.deployed.happened_at) as month,
    changes.service,
    changes.environment,
    changes.version,
    changes.title,
    told.deployed.happened_at as deployed_at,
    coalesce(parts.failed, false) as failed,
    coalesce(parts.rework, false) as rework,
    case
        when not (changes.environment is null or regexp_matches(lower(changes.environment), '^(prod|live)'))
            then 'not production: ' || changes.environment
        when changes.outcome = 'failed' and not coalesce(parts.failed, false) then 'did not get there'
        when changes.outcome is not null and changes.outcome not in ('finished', 'failed')
            and not coalesce(parts.failed, false)
            then 'not finished'
    end as excluded_because,
    told.deployed
from changes
join told using (change_key)
left join parts using (change_key)
where changes.kind in ('deployment', 'targetrollout', 'service.deployed', 'service.upgraded', 'service.rolledback')
    or changes.sender = 'pagerduty_change'
