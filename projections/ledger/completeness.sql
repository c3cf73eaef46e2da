-- Everything that was received and counted, and what became of it, in one row.
-- grain: one row
-- key: position
-- column position: Position in the log at which this holds.
-- column counted_through: Position in INTAKE through which receipts are counted.
-- column received: Payloads in INTAKE.
-- column received_bytes: Their size in bytes.
-- column facts: Receipts that a fact names.
-- column duplicates: Receipts that were understood and changed nothing.
-- column refused: Receipts whose sender was told that they cannot be used.
-- column dead: Receipts that could not be used for another reason, and wait as dead letters.
-- column unaccounted: Receipts of which nothing is said. More than none is a fault of Recount.
-- column missing: Positions that INTAKE does not hold: deleted, or older than it keeps.
-- refresh: view
with through as (
    select coalesce(max(last_seq), 0) as counted_through from ledger_counted
),
total as (
    select
        cast(coalesce(sum(received), 0) as bigint) as received,
        cast(coalesce(sum(received_bytes), 0) as bigint) as received_bytes,
        cast(coalesce(sum(facts), 0) as bigint) as facts,
        cast(coalesce(sum(duplicates), 0) as bigint) as duplicates,
        cast(coalesce(sum(refused), 0) as bigint) as refused,
        cast(coalesce(sum(dead), 0) as bigint) as dead,
        cast(coalesce(sum(unaccounted), 0) as bigint) as unaccounted,
        cast(coalesce(sum(missing), 0) as bigint) as missing
    from intake_ledger
)
select
    coalesce(clock.position, 0) as position,
    through.counted_through,
    total.received,
    total.received_bytes,
    total.facts,
    total.duplicates,
    total.refused,
    total.dead,
    total.unaccounted,
    total.missing
from clock
cross join through
cross join total
