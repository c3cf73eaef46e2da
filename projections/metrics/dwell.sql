-- Dwell time: how long an attacker was there before anybody noticed, from the start of impact to the earliest signal. In
-- the security profile the start of impact is the first activity of the attacker that is known, and later findings
-- correct it. Report it in days.
-- metric: dwell, version 1
-- population: security incidents
-- starts: impact_started
-- ends: detected
-- excluded: not a security incident; first activity not known; detected before the first activity
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with spans as (
    select
        incident_id,
        service,
        severity,
        impact_started as started,
        detected as ended,
        case
            when excluded_because is not null then excluded_because
            when profile <> 'security' then 'not a security incident'
            when impact_started is null then 'first activity not known'
            when detected is null then 'not detected'
            when detected.happened_at < impact_started.happened_at then 'detected before the first activity'
        end as reason,
        cast(null as timestamp) as known_until
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
