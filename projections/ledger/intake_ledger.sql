-- The completeness ledger: what each source sent in each hour, counted from INTAKE, and what became of it.
-- ``received = facts + duplicates + refused + dead`` unless something is unaccounted for. What was received too recently
-- to be counted is not in it.
-- grain: one row a source, integration and hour
-- key: source, integration, hour
-- column source: Adapter, or what a producer on NATS called itself; empty in the row of positions that INTAKE does not hold.
-- column integration: Id of the integration key; `nats` without one; empty in the row of positions that INTAKE does not hold.
-- column hour: Beginning of the hour (UTC) in which INTAKE stored them.
-- column received: Payloads in INTAKE.
-- column received_bytes: Their size in bytes.
-- column facts: Receipts that a fact names.
-- column duplicates: Receipts that were understood and changed nothing: repeats of what was known, and pings.
-- column refused: Receipts that are not what their sender's documentation says; the sender was told so with a 4xx.
-- column dead: Receipts that could not be used for another reason, and wait as dead letters.
-- column unaccounted: Receipts of which nothing is said. More than none is a fault of Recount.
-- column missing: Positions that INTAKE does not hold: deleted, or older than it keeps.
-- refresh: view
with counts as (
    select
        seq,
        missing,
        sources,
        date_trunc(
            'hour', coalesce(sources[1].first_at, happened_at)
        ) as hour
    from ledger_counted
    where not is_before
),
each_source as (
    select hour, unnest(sources) as counted from counts
),
received as (
    select
        counted.source as source,
        counted.integration as integration,
        hour,
        cast(sum(counted.received) as bigint) as received,
        cast(sum(counted.received_bytes) as bigint) as received_bytes,
        0 as missing
    from each_source
    group by source, integration, hour
    union all
    select '', '', hour, 0, 0, cast(sum(missing) as bigint)
    from counts
    where missing > 0
    group by hour
),
runs as (
    select source, integration, hour, first_receipt_seq, last_receipt_seq from receipt_runs where source is not null
),
-- Runs of repeats without overlap: a receipt may be told of twice.
reach as (
    select
        first_receipt_seq,
        last_receipt_seq,
        max(last_receipt_seq) over (
            order by first_receipt_seq, last_receipt_seq rows between unbounded preceding and 1 preceding
        ) as reached
    from repeated_runs
),
apart as (
    select greatest(first_receipt_seq, coalesce(reached, 0) + 1) as first_receipt_seq, last_receipt_seq
    from reach
    where last_receipt_seq > coalesce(reached, 0)
),
repeats as (
    select
        first_receipt_seq,
        last_receipt_seq,
        cast(sum(last_receipt_seq - first_receipt_seq + 1) over (order by first_receipt_seq) as bigint)
            - (last_receipt_seq - first_receipt_seq + 1) as before
    from apart
),
-- One sweep over INTAKE instead of joins by ranges, which cost the product of both sides. Wherever something is asked,
-- it finds the run of repeats and the run of a source that began last: all of these only grow.
marks as (
    select
        first_receipt_seq as position,
        0 as turn,
        first_receipt_seq as repeats_first,
        last_receipt_seq as repeats_last,
        before as repeats_before,
        cast(null as bigint) as run_first,
        cast(null as bigint) as sign,
        cast(null as varchar) as source,
        cast(null as varchar) as integration,
        cast(null as timestamp) as hour,
        cast(null as varchar) as outcome
    from repeats
    union all
    select first_receipt_seq, 0, null, null, null, first_receipt_seq, null, null, null, null, null from runs
    union all
    -- Repeats up to the end of a run, less those up to its beginning, are those in it.
    select last_receipt_seq, 1, null, null, null, null, 1, source, integration, hour, null from runs
    union all
    select first_receipt_seq - 1, 1, null, null, null, null, -1, source, integration, hour, null from runs
    union all
    select receipt_seq, 1, null, null, null, null, null, null, null, null, outcome from receipt_outcomes
),
swept as (
    select
        position,
        sign,
        source,
        integration,
        hour,
        outcome,
        max(repeats_first) over sweep as repeats_first,
        max(repeats_last) over sweep as repeats_last,
        max(repeats_before) over sweep as repeats_before,
        max(run_first) over sweep as run_first
    from marks
    window sweep as (order by position, turn rows between unbounded preceding and current row)
),
repeated as (
    select
        source,
        integration,
        hour,
        cast(sum(sign * (repeats_before + least(repeats_last, position) - repeats_first + 1)) as bigint) as positions
    from swept
    where sign is not null
    group by source, integration, hour
),
outcomes as (
    select
        runs.source,
        runs.integration,
        runs.hour,
        count(*) filter (where swept.outcome = 'facts') as facts,
        count(*) filter (where swept.outcome = 'duplicate') as duplicates,
        count(*) filter (where swept.outcome = 'refused') as refused,
        count(*) filter (where swept.outcome = 'dead') as dead,
        -- Told of as repeats too: what names them goes before.
        count(*) filter (where swept.position <= swept.repeats_last) as repeated_too
    from swept
    join runs on runs.first_receipt_seq = swept.run_first
    where swept.outcome is not null and swept.position <= runs.last_receipt_seq
    group by runs.source, runs.integration, runs.hour
),
balance as (
    select
        received.source,
        received.integration,
        received.hour,
        received.received,
        received.received_bytes,
        coalesce(outcomes.facts, 0) as facts,
        coalesce(outcomes.duplicates, 0) + coalesce(repeated.positions, 0) - coalesce(outcomes.repeated_too, 0)
            as duplicates,
        coalesce(outcomes.refused, 0) as refused,
        coalesce(outcomes.dead, 0) as dead,
        received.missing
    from received
    left join repeated
        on repeated.source = received.source
        and repeated.integration = received.integration
        and repeated.hour = received.hour
    left join outcomes
        on outcomes.source = received.source
        and outcomes.integration = received.integration
        and outcomes.hour = received.hour
)
select
    source,
    integration,
    hour,
    received,
    received_bytes,
    facts,
    duplicates,
    refused,
    dead,
    received - facts - duplicates - refused - dead as unaccounted,
    missing
from balance
