-- Every duration metric of every incident, and what the figure rests on. Its ``state`` is ``measured``; ``censored``
-- when it goes on, so that the duration is only the least that it can be as far as the log tells; or ``excluded``.
-- ``reason`` says why it is not measured. Durations are whole microseconds. ``cohort_at`` places an incident in a
-- period: when the metric starts, or the detection where the start is not known, which only excluded ones can need.
-- ``earliest_us`` and ``latest_us`` bound a duration between times that are not known precisely, and are null for others.
-- grain: one row an incident and metric
-- key: incident_id, metric
-- refresh: view
-- once: metric_population
with spans as (
    select
        'ttd' as metric, 1 as metric_version, incident_id, started, ended, known_until, 0 as quiet_us, state,
        excluded_because
    from ttd
    union all
    select 'dwell', 1, incident_id, started, ended, known_until, 0, state, excluded_because from dwell
    union all
    select 'tta', 1, incident_id, started, ended, known_until, 0, state, excluded_because from tta
    union all
    select 'tta_detect', 1, incident_id, started, ended, known_until, 0, state, excluded_because from tta_detect
    union all
    select 'ttdecl', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttdecl
    union all
    select 'ttc', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttc
    union all
    select 'ttc_durable', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttc_durable
    union all
    select 'ttc_impact', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttc_impact
    union all
    select 'ttm', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttm
    union all
    select 'ttm_detect', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttm_detect
    union all
    select 'ttr_recover', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttr_recover
    union all
    select 'ttr_recover_durable', 1, incident_id, started, ended, known_until, 0, state, excluded_because
    from ttr_recover_durable
    union all
    select 'ttr_respond', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttr_respond
    union all
    select 'ttr_repair', 2, incident_id, started, ended, known_until, 0, state, excluded_because from ttr_repair
    union all
    select 'ttr_resolve', 1, incident_id, started, ended, known_until, 0, state, excluded_because from ttr_resolve
    union all
    select 'active_time', 1, incident_id, started, ended, known_until, quiet_us, state, excluded_because from active_time
    union all
    select 'dora_recovery_time', 1, incident_id, started, ended, known_until, 0, state, excluded_because
    from dora_recovery_time
    union all
    select 'eu_dora_duration', 1, incident_id, started, ended, known_until, 0, state, excluded_because
    from eu_dora_duration
    union all
    select 'eu_dora_downtime', 1, incident_id, started, ended, known_until, quiet_us, state, excluded_because
    from eu_dora_downtime
),
bounded as (
    select
        *,
        coalesce(started.earliest, started.latest, ended.earliest, ended.latest) is not null as imprecise,
        case state
            when 'measured' then ended.happened_at
            -- A clock that runs ahead may have started it after the moment.
            when 'censored' then greatest(known_until, started.happened_at)
        end as until
    from spans
)
select
    bounded.incident_id,
    bounded.metric,
    bounded.metric_version,
    dimensions.service,
    dimensions.team,
    dimensions.source,
    dimensions.severity_declared,
    dimensions.severity_peak,
    dimensions.severity_final,
    coalesce(bounded.started.happened_at, dimensions.detected_at) as cohort_at,
    bounded.started.happened_at as started_at,
    case when bounded.state = 'measured' then bounded.ended.happened_at end as ended_at,
    epoch_us(bounded.until) - epoch_us(bounded.started.happened_at) - bounded.quiet_us as duration_us,
    bounded.state,
    bounded.excluded_because as reason,
    bounded.started.event_id as started_event_id,
    bounded.started.seq as started_seq,
    bounded.ended.event_id as ended_event_id,
    bounded.ended.seq as ended_seq,
    case when bounded.imprecise then
        epoch_us(coalesce(bounded.ended.earliest, bounded.until))
        - epoch_us(coalesce(bounded.started.latest, bounded.started.happened_at))
        - bounded.quiet_us
    end as earliest_us,
    case when bounded.imprecise then
        epoch_us(coalesce(bounded.ended.latest, bounded.until))
        - epoch_us(coalesce(bounded.started.earliest, bounded.started.happened_at))
        - bounded.quiet_us
    end as latest_us
from bounded
join metric_dimensions as dimensions using (incident_id)
