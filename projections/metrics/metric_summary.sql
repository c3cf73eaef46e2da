-- Median and 90th percentile of each duration metric over the incidents that it could be measured for, in seconds.
-- What could not be measured is counted, never guessed; the metric's own view says why for each incident.
-- grain: one row a metric
-- key: metric
-- refresh: view
with measurements as (
    select 'ttd' as metric, started_at, ended_at, excluded_because from ttd
    union all
    select 'tta', started_at, ended_at, excluded_because from tta
    union all
    select 'ttc', started_at, ended_at, excluded_because from ttc
    union all
    select 'ttm', started_at, ended_at, excluded_because from ttm
    union all
    select 'ttr_recover', started_at, ended_at, excluded_because from ttr_recover
),
durations as (
    select
        metric,
        excluded_because,
        -- Whole microseconds, so that no sum or rank depends on the order of rows.
        case when excluded_because is null then epoch_us(ended_at) - epoch_us(started_at) end as duration_us
    from measurements
)
select
    metric,
    count(*) as incidents,
    count(duration_us) as measured,
    count(*) - count(duration_us) as excluded,
    round(quantile_cont(duration_us, 0.5)) / 1000000 as median_s,
    round(quantile_cont(duration_us, 0.9)) / 1000000 as p90_s
from durations
group by metric
