-- Time to contain from impact: from the start of impact to the first containment, whether or not that held.
-- metric: ttc_impact, version 1
-- starts: impact_started
-- ends: first_contained
-- open: not contained yet
-- excluded: start of impact not known; over without a containment; contained before the impact began
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        impact_started as started,
        first_contained as ended,
        case
            when excluded_because is not null then excluded_because
            when impact_started is null then 'start of impact not known'
            when first_contained is null then 'not contained'
            when first_contained.happened_at < impact_started.happened_at then 'contained before the impact began'
        end as reason,
        case
            when excluded_because is null and impact_started is not null and first_contained is null and stands
                then moment
        end as known_until
    from metric_population
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
