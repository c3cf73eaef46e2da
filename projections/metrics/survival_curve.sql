-- How many durations of a metric last longer than a given one: the Kaplan-Meier curve, for every metric over all
-- incidents, and by service, team, source, peak severity, and month of the cohort. What is not over counts with how long
-- it has lasted (censored). One row is one length that occurs: how many last at least so long (at risk), how many end
-- there and how many are only known to last so long, the part that lasts longer, Greenwood's variance of it, and its 95 %
-- interval (log-log), null where it is not defined: before the first end, and where nothing lasts longer. Where an end
-- and a censoring fall on one length, the end comes first.
-- grain: one row a metric, group and length
-- key: metric, grouped_by, group_value, duration_us
-- refresh: view
with durations as (
    select
        metric, service, team, source, severity_peak, cohort_at, duration_us,
        count(*) filter (where state = 'measured') as events,
        count(*) filter (where state = 'censored') as censored
    from measurements
    where state in ('measured', 'censored') and duration_us is not null
    group by metric, service, team, source, severity_peak, cohort_at, duration_us
),
grouped as (
    select metric, 'all' as grouped_by, '' as group_value, duration_us, events, censored from durations
    union all
    select metric, 'service', coalesce(nullif(service, ''), 'none'), duration_us, events, censored from durations
    union all
    select metric, 'team', coalesce(nullif(team, ''), 'none'), duration_us, events, censored from durations
    union all
    select metric, 'source', coalesce(nullif(source, ''), 'none'), duration_us, events, censored from durations
    union all
    select metric, 'severity_peak', coalesce(nullif(severity_peak, ''), 'none'), duration_us, events, censored
    from durations
    union all
    select metric, 'month', coalesce(strftime(cohort_at, '%Y-%m'), 'none'), duration_us, events, censored from durations
),
lengths as (
    select
        metric, grouped_by, group_value, duration_us,
        cast(sum(events) as bigint) as events,
        cast(sum(censored) as bigint) as censored
    from grouped
    group by metric, grouped_by, group_value, duration_us
),
risks as (
    select
        *,
        cast(sum(events + censored) over (
            partition by metric, grouped_by, group_value order by duration_us desc
        ) as bigint) as at_risk
    from lengths
),
-- Whole numbers, so that no sum depends on an order: ln S in parts of 10^15, Greenwood's sum in parts of 10^18. Where the
-- last at risk ends, the part that lasts longer is 0, and neither is defined.
sums as (
    select
        *,
        max(at_risk = events) over shortest_first as is_over,
        sum(case when at_risk > events then cast(round(ln(1 - events / at_risk) * 1e15) as hugeint) else 0 end)
            over shortest_first as log_survival,
        sum(case
            when at_risk > events then cast(round(events / (at_risk * (at_risk - events)) * 1e18) as hugeint)
            else 0
        end) over shortest_first as greenwood
    from risks
    window shortest_first as (partition by metric, grouped_by, group_value order by duration_us)
),
bands as (
    select
        *,
        case when is_over then 0 else exp(log_survival / 1e15) end as part,
        -- 1.96 standard errors of ln(-ln S).
        case
            when not is_over and log_survival < 0
                then exp(1.959963984540054 * sqrt(greenwood / 1e18) / (-log_survival / 1e15))
        end as spread
    from sums
)
select
    metric,
    grouped_by,
    group_value,
    duration_us,
    at_risk,
    events,
    censored,
    round(part, 12) as survival,
    case when not is_over then round(part * part * greenwood / 1e18, 15) end as variance,
    case when spread is not null then round(exp(log_survival / 1e15 * spread), 12) end as survival_low,
    case when spread is not null then round(exp(log_survival / 1e15 / spread), 12) end as survival_high
from bands
