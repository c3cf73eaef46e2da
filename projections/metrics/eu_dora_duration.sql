-- Duration of an incident as the EU's Digital Operational Resilience Act measures it (Commission Delegated Regulation (EU)
-- 2024/1772, article 3, paragraphs 1 to 3): from when it occurred until it is resolved. ``started_by`` says what was taken
-- where the occurrence is not known (`eu_dora_starts`). While it is not resolved the regulation asks for an estimate:
-- ``is_estimate``, the time until now, which is the least that it can be. So is one between times that are not precise.
-- It has nothing to do with DORA's metrics of software delivery (`dora_recovery_time`).
-- metric: eu_dora_duration, version 1
-- starts: impact_started, else detected or the log record that is earlier
-- ends: resolved
-- open: not resolved, or resolved no longer
-- excluded: resolved before it occurred
-- grain: one row an incident
-- key: incident_id
-- column started_by: What it is measured from: `occurrence`, `detection` or `log record`.
-- column is_estimate: Whether it is not over, or one of its times is not known precisely; null when it is left out.
-- refresh: view
with marked as (
    select
        population.*,
        coalesce(starts.occurred, starts.substitute) as started,
        population.resolved as ended,
        starts.started_by
    from metric_population as population
    join eu_dora_starts as starts using (incident_id)
),
spans as (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when started is null then 'not detected'
            when ended is null then 'not resolved'
            when ended.happened_at < started.happened_at then 'resolved before it occurred'
        end as reason,
        case when excluded_because is null and started is not null and ended is null and stands then moment end
            as known_until
    from marked
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
    case
        when known_until is not null then true
        when reason is null
            then coalesce(started.earliest, started.latest, ended.earliest, ended.latest) is not null
    end as is_estimate,
    started_by,
    started,
    ended,
    known_until
from spans
