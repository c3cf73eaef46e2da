-- What is typical of each duration metric, over all incidents: median and 90th percentile in seconds from the
-- Kaplan-Meier curve (`survival_curve`), with 95 % intervals after Brookmeyer and Crowley. What is not over counts with
-- how long it has lasted; what could not be measured is counted, never guessed. A percentile is null and marked as not
-- reached while too many are not over, and never the last value in its stead. So is it with the ends of the intervals,
-- which also need enough measured incidents: 6 for that of the median, 36 for the upper one of the 90th percentile. With
-- fewer than 5 incidents there is none of all this; the values are in `measurements`.
-- grain: one row a metric
-- key: metric
-- refresh: view
with counts as (
    select
        metric,
        count(*) as incidents,
        count(*) filter (where state = 'measured') as measured,
        count(*) filter (where state = 'censored') as censored,
        count(*) filter (where state = 'excluded') as excluded
    from measurements
    group by metric
),
-- A part of a billionth does not keep a percentile from being reached.
percentiles as (
    select
        metric,
        min(duration_us) filter (where events > 0 and survival <= 0.5 + 1e-9) as median_us,
        min(duration_us) filter (where events > 0 and (survival_low <= 0.5 or survival = 0)) as median_low_us,
        min(duration_us) filter (where events > 0 and survival_high <= 0.5) as median_high_us,
        min(duration_us) filter (where events > 0 and survival <= 0.1 + 1e-9) as p90_us,
        min(duration_us) filter (where events > 0 and (survival_low <= 0.1 or survival = 0)) as p90_low_us,
        min(duration_us) filter (where events > 0 and survival_high <= 0.1) as p90_high_us
    from survival_curve
    where grouped_by = 'all'
    group by metric
)
select
    counts.metric,
    counts.incidents,
    counts.measured,
    counts.censored,
    counts.excluded,
    counts.measured + counts.censored >= 5 as has_enough,
    case when has_enough then median_us end / 1000000 as median_s,
    case when has_enough and counts.measured >= 6 then median_low_us end / 1000000 as median_low_s,
    case when has_enough and counts.measured >= 6 then median_high_us end / 1000000 as median_high_s,
    has_enough and median_us is null as median_not_reached,
    case when has_enough then p90_us end / 1000000 as p90_s,
    case when has_enough then p90_low_us end / 1000000 as p90_low_s,
    case when has_enough and counts.measured >= 36 then p90_high_us end / 1000000 as p90_high_s,
    has_enough and p90_us is null as p90_not_reached
from counts
left join percentiles using (metric)
