-- When each source was last heard of, and whether it is silent for longer than it usually is.
-- grain: one row a source and integration
-- key: source, integration
-- column source: Adapter, or what a producer on NATS called itself.
-- column last_at: When INTAKE stored its last payload that is counted.
-- column gaps: How many pauses between its counts are known, from which the usual one is told.
-- column usual_gap_s: The longest pause that is usual, in seconds: the longest before its last payload in four weeks, the very longest left out; null when fewer than 10 are known.
-- column silent_s: How long it is silent at the present moment of the log, in seconds.
-- column is_unusual: Whether that is longer than usual, and longer than ten minutes.
-- refresh: view
with each_count as (
    select seq, unnest(sources) as counted from ledger_counted where not is_before
),
heard as (
    select
        seq,
        counted.source as source,
        counted.integration as integration,
        counted.first_at,
        counted.last_at
    from each_count
),
pauses as (
    select
        source,
        integration,
        last_at,
        epoch_us(first_at) - epoch_us(lag(last_at) over (partition by source, integration order by seq)) as pause_us,
        max(last_at) over (partition by source, integration) as heard_at
    from heard
),
ranked as (
    select
        source,
        integration,
        heard_at,
        pause_us,
        row_number() over (partition by source, integration order by pause_us desc nulls last) as rank,
        count(pause_us) over (partition by source, integration) as gaps
    from pauses
    where last_at > heard_at - interval 28 day
),
known as (
    select
        source,
        integration,
        max(heard_at) as last_at,
        max(gaps) as gaps,
        -- One outage must not make long silence usual.
        max(pause_us) filter (where rank = 2 and gaps >= 10) as usual_us
    from ranked
    group by source, integration
)
select
    known.source,
    known.integration,
    known.last_at,
    known.gaps,
    cast(known.usual_us // 1000000 as bigint) as usual_gap_s,
    cast(greatest((epoch_us(clock.moment) - epoch_us(known.last_at)) // 1000000, 0) as bigint) as silent_s,
    known.usual_us is not null
        and epoch_us(clock.moment) - epoch_us(known.last_at) > greatest(known.usual_us, 600000000) as is_unusual
from known
cross join clock
