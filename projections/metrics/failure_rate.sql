-- How often each service failed, by month: as a count over the time that it was up, from which come a rate and its exact
-- Poisson interval (Garwood). A mean time between failures is the inverse; as one number it hides how few they were.
-- A failure is a stretch of impact on the service at any level. Stretches that overlap, of one incident or of several,
-- are one failure, because what is down cannot fail. The service is observed from the beginning of the log, or from its
-- first failure if that is earlier, to the moment that the log can tell; ``exposure_us`` is that time without the
-- time that it was down.
-- metric: mtbf, version 1
-- population: impact of root incidents, and of those merged into them, that are or may be real
-- grain: one row a service and month
-- key: service, month
-- refresh: view
with stretches as (
    select
        intervals.scope as service,
        intervals.started_at as since,
        greatest(coalesce(intervals.ended_at, clock.moment), intervals.started_at) as until
    from impact_intervals as intervals
    join root_incidents as roots using (incident_id)
    join metric_population as population on population.incident_id = roots.root_incident_id
    cross join clock
    where population.excluded_because is null and intervals.level_max > 0
),
placed as (
    select
        *,
        max(until) over (
            partition by service order by since, until rows between unbounded preceding and 1 preceding
        ) as down_until
    from stretches
),
numbered as (
    select
        *,
        count(*) filter (where down_until is null or since > down_until) over (
            partition by service order by since, until rows between unbounded preceding and current row
        ) as number
    from placed
),
failures as (
    select service, number, min(since) as since, max(until) as until
    from numbered
    group by service, number
),
observed as (
    select
        failures.service,
        least(min(failures.since), (select min(recorded_at) from log)) as since,
        clock.moment as until
    from failures
    cross join clock
    group by failures.service, clock.moment
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
    count(*) filter (where failures.since >= months.since and failures.since < months.month + interval 1 month)
        as failures,
    epoch_us(months.until) - epoch_us(months.since) as observed_us,
    cast(coalesce(sum(
        greatest(epoch_us(least(failures.until, months.until)) - epoch_us(greatest(failures.since, months.since)), 0)
    ), 0) as bigint) as down_us,
    epoch_us(months.until) - epoch_us(months.since) - cast(coalesce(sum(
        greatest(epoch_us(least(failures.until, months.until)) - epoch_us(greatest(failures.since, months.since)), 0)
    ), 0) as bigint) as exposure_us
from months
left join failures
    on failures.service = months.service
    and failures.since < months.month + interval 1 month and failures.until >= months.since
group by months.service, months.month, months.since, months.until
