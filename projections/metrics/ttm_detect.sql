-- Time to mitigate from detection: from the earliest signal until no impact was left; by impact intervals, not by a
-- status.
-- metric: ttm_detect, version 1
-- starts: detected
-- ends: mitigated
-- open: some impact lasts
-- excluded: no impact recorded (near miss); end of impact not known; over before it was detected
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        detected as started,
        mitigated as ended,
        case
            when excluded_because is not null then excluded_because
            when detected is null then 'not detected'
            when impact_started is null then 'no impact recorded'
            when mitigated is null and (stands or impact_lasts) then 'impact not over'
            when mitigated is null then 'end of impact not known'
            when mitigated.happened_at < detected.happened_at then 'mitigated before it was detected'
        end as reason,
        case
            when excluded_because is null and detected is not null and mitigated is null
                and impact_started is not null and (stands or impact_lasts)
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
