-- Which positions of INTAKE the ledger has counted, and what came there: unbroken runs of one source.
-- grain: one row a run
-- key: first_receipt_seq
-- column seq: Position in the log of the count that tells it.
-- column source: Adapter, or what a producer on NATS called itself; null for positions that INTAKE does not hold.
-- column integration: Id of the integration key; `nats` without one; null for positions that INTAKE does not hold.
-- column hour: Beginning of the hour (UTC) in which INTAKE stored them.
-- column first_receipt_seq: Position in INTAKE of the first.
-- column last_receipt_seq: Position in INTAKE of the last.
-- refresh: view
with counts as (
    select
        seq,
        first_seq,
        sources,
        run_sources,
        run_lengths,
        -- Of a stretch that holds nothing any more the hour is not known; then it is the hour in which that was noticed.
        date_trunc(
            'hour', coalesce(sources[1].first_at, happened_at)
        ) as hour
    from ledger_counted
    where not is_before
),
named as (
    select seq, unnest(sources) as counted, unnest(range(len(sources))) as source_number from counts
),
runs as (
    select
        seq,
        first_seq,
        hour,
        unnest(run_sources) as source_number,
        unnest(run_lengths) as length,
        unnest(range(len(run_lengths))) as number
    from counts
),
placed as (
    select
        seq,
        hour,
        source_number,
        length,
        first_seq + cast(sum(length) over (partition by seq order by number) as bigint) as next_receipt_seq
    from runs
)
select
    placed.seq,
    named.counted.source as source,
    named.counted.integration as integration,
    placed.hour,
    placed.next_receipt_seq - placed.length as first_receipt_seq,
    placed.next_receipt_seq - 1 as last_receipt_seq
from placed
left join named on named.seq = placed.seq and named.source_number = placed.source_number
