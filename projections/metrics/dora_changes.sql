-- DORA's counts of each service by month: deployments, how many of them caused an incident that needed somebody at once
-- (change fail rate), and how many were made, unplanned, to end one (deployment rework rate); see `dora_deployments` for
-- what is a deployment and what is said of it. A deployment that caused several incidents failed once.
-- Counts can be added up over rows, and rates computed from the sums; rates cannot be averaged. A service is observed
-- from its first deployment that was told to the moment that the log can tell (``observed_us``), months without one too.
-- metric: dora_changes, version 1
-- population: deployments to production that finished, or caused an incident that is or may be real
-- grain: one row a service and month
-- key: service, month
-- column deployments: How many were made.
-- column failed: How many of them somebody says caused an incident.
-- column rework: How many of them somebody says were made to end one.
-- refresh: view
with counted as (
    select * from dora_deployments where excluded_because is null
),
observed as (
    select
        counted.service,
        min(counted.deployed_at) as since,
        greatest(clock.moment, max(counted.deployed_at)) as until
    from counted
    cross join clock
    group by counted.service, clock.moment
),
months as (
    select
        service,
        month,
        greatest(month, since) as since,
        least(month + interval 1 month, until) as until
    from observed
    cross join unnest(generate_series(date_trunc('month', since), date_trunc('month', until), interval 1 month))
        as series(month)
)
select
    months.service,
    months.month,
    count(counted.change_key) as deployments,
    count(*) filter (where counted.failed) as failed,
    count(*) filter (where counted.rework) as rework,
    epoch_us(months.until) - epoch_us(months.since) as observed_us
from months
left join counted on counted.service is not distinct from months.service and counted.month = months.month
group by months.service, months.month, months.since, months.until
