-- How long users were affected by each incident, weighted by how badly (level 1 minor to 4 total), over every scope.
-- Where an incident and those merged into it speak of the same scope at the same time, that time counts once, at the
-- worse level. ``impact_us`` is the time at any level, ``weighted_us`` the sum of level times time, both in microseconds
-- and summed over scopes; ``impact_minutes`` is the latter in minutes. It is a quantity of which a budget can be made, so
-- that sums over incidents mean something. Impact that lasts counts up to the moment that the log can tell, and is
-- ``censored``. All of an incident's impact belongs to the ``month`` in which its impact began.
-- metric: impact_minutes, version 1
-- starts: each stretch of impact
-- ends: the end of the stretch
-- open: some impact lasts
-- excluded: no impact recorded (near miss)
-- grain: one row an incident
-- key: incident_id
-- refresh: view
with stretches as (
    select
        roots.root_incident_id as incident_id,
        intervals.incident_id as said_by,
        intervals.scope,
        intervals.started_seq,
        coalesce(intervals.ended_seq, clock.position) as ended_seq,
        intervals.started_at,
        coalesce(intervals.ended_at, greatest(clock.moment, intervals.started_at)) as until,
        intervals.ended_at is null as lasts
    from impact_intervals as intervals
    join root_incidents as roots using (incident_id)
    cross join clock
),
levels as (
    select stretches.*, started.level, stretches.started_at as since, started.seq
    from stretches
    join incident_impact_started as started on started.seq = stretches.started_seq
    union all
    select
        stretches.*,
        changed.level,
        greatest(least(changed.happened_at, stretches.until), stretches.started_at),
        changed.seq
    from stretches
    join incident_impact_level_changed as changed
        on changed.stream_id = stretches.said_by and changed.scope = stretches.scope
        and changed.seq between stretches.started_seq and stretches.ended_seq
),
parts as (
    select
        incident_id,
        scope,
        level,
        lasts,
        since,
        coalesce(
            lead(since) over (partition by said_by, scope, started_seq order by since, seq),
            until
        ) as until
    from levels
),
edges as (
    select incident_id, scope, since as moment from parts
    union
    select incident_id, scope, until from parts
),
slices as (
    select
        incident_id,
        scope,
        moment as since,
        lead(moment) over (partition by incident_id, scope order by moment) as until
    from edges
),
worst as (
    select slices.incident_id, slices.scope, slices.since, slices.until, max(parts.level) as level
    from slices
    join parts
        on parts.incident_id = slices.incident_id and parts.scope = slices.scope
        and parts.since <= slices.since and parts.until >= slices.until
    group by slices.incident_id, slices.scope, slices.since, slices.until
),
totals as (
    select
        incident_id,
        cast(coalesce(sum(epoch_us(until) - epoch_us(since)) filter (where level > 0), 0) as bigint) as impact_us,
        cast(sum(level * (epoch_us(until) - epoch_us(since))) as bigint) as weighted_us,
        max(level) as level_peak
    from worst
    group by incident_id
),
lasting as (
    select incident_id, bool_or(lasts) as lasts from stretches group by incident_id
)
select
    population.incident_id,
    date_trunc('month', coalesce(population.impact_started.happened_at, dimensions.detected_at)) as month,
    population.service,
    dimensions.team,
    dimensions.source,
    population.severity,
    dimensions.severity_declared,
    population.impact_started.happened_at as started_at,
    case when population.excluded_because is null then totals.level_peak end as level_peak,
    case when population.excluded_because is null then totals.impact_us end as impact_us,
    case when population.excluded_because is null then totals.weighted_us end as weighted_us,
    case when population.excluded_because is null then totals.weighted_us / 60000000 end as impact_minutes,
    case
        when population.excluded_because is not null or totals.incident_id is null then 'excluded'
        when lasting.lasts then 'censored'
        else 'measured'
    end as state,
    case
        when population.excluded_because is not null then population.excluded_because
        when totals.incident_id is null then 'no impact recorded'
        when lasting.lasts then 'impact not over'
    end as excluded_because
from metric_population as population
join metric_dimensions as dimensions using (incident_id)
left join totals using (incident_id)
left join lasting using (incident_id)
