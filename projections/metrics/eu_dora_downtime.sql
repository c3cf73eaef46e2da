-- Service downtime of an incident as the EU's Digital Operational Resilience Act measures it (Commission Delegated
-- Regulation (EU) 2024/1772, article 3, paragraphs 4 and 5): for how long a service was fully or partially unavailable,
-- until it was back at its level from before. That is impact at any level, on any scope: the incident's and those merged
-- into it, each moment once. A service that is provided late is impact until all of it was provided.
-- ``quiet_us`` is the time between two stretches, when everything was back. Where only the end is known, it is measured
-- from what `eu_dora_starts` puts in place of the start. While impact lasts it is an estimate (``is_estimate``), the
-- least that it can be.
-- metric: eu_dora_downtime, version 1
-- starts: impact_started, else detected or the log record that is earlier
-- ends: the last end of impact
-- open: some impact lasts
-- excluded: no impact recorded; end of impact not known; over before it began
-- grain: one row an incident
-- key: incident_id
-- column started_by: What it is measured from: `occurrence`, `detection` or `log record`.
-- column is_estimate: Whether it is not over, or one of its times is not known precisely; null when it is left out.
-- column quiet_us: Microseconds between its stretches, in which nothing was unavailable.
-- refresh: view
with stretches as (
    select
        roots.root_incident_id as incident_id,
        intervals.started_at as since,
        intervals.ended_at is null as lasts,
        case
            when intervals.ended_at is not null
                then {
                    'happened_at': intervals.ended_at, 'seq': intervals.ended_seq, 'event_id': intervals.ended_event_id,
                    'earliest': intervals.ended_earliest, 'latest': intervals.ended_latest
                }
        end as ended
    from impact_intervals as intervals
    join root_incidents as roots using (incident_id)
    where intervals.level_max > 0
),
gaps as (
    select
        incident_id,
        epoch_us(since) - epoch_us(max(coalesce(ended.happened_at, timestamp 'infinity')) over earlier) as gap_us
    from stretches
    window earlier as (
        partition by incident_id order by since, lasts, ended rows between unbounded preceding and 1 preceding
    )
),
quiet as (
    select incident_id, cast(coalesce(sum(gap_us) filter (where gap_us > 0), 0) as bigint) as quiet_us
    from gaps
    group by incident_id
),
ends as (
    select incident_id, bool_or(lasts) as lasts, max(ended) as ended from stretches group by incident_id
),
marked as (
    select
        population.*,
        case
            when ends.incident_id is not null or population.mitigated is not null
                then coalesce(starts.occurred, starts.substitute)
            else starts.occurred
        end as started,
        case when ends.incident_id is null then population.mitigated when not ends.lasts then ends.ended end as ended,
        coalesce(ends.lasts, false) as lasts,
        starts.started_by,
        coalesce(quiet.quiet_us, 0) as quiet_us
    from metric_population as population
    join eu_dora_starts as starts using (incident_id)
    left join ends using (incident_id)
    left join quiet using (incident_id)
),
spans as (
    select
        *,
        case
            when excluded_because is not null then excluded_because
            when started is null then 'no impact recorded'
            when ended is null and (lasts or stands) then 'impact not over'
            when ended is null then 'end of impact not known'
            when ended.happened_at < started.happened_at then 'over before it began'
        end as reason,
        case
            when excluded_because is null and started is not null and ended is null and (lasts or stands) then moment
        end as known_until
    from marked
)
select
    incident_id,
    service,
    severity,
    started.happened_at as started_at,
    ended.happened_at as ended_at,
    case
        when reason is null then (epoch_us(ended.happened_at) - epoch_us(started.happened_at) - quiet_us) / 1000000
    end as duration_s,
    case when reason is null then 'measured' when known_until is not null then 'censored' else 'excluded' end as state,
    reason as excluded_because,
    case
        when known_until is not null then true
        when reason is null
            then coalesce(started.earliest, started.latest, ended.earliest, ended.latest) is not null
    end as is_estimate,
    case when started is not null then started_by end as started_by,
    quiet_us,
    started,
    ended,
    known_until
from spans
