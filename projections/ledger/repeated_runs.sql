-- Receipts that changed nothing, as the translators told it: unbroken runs of positions in INTAKE. After a crash a
-- receipt may be told of twice.
-- grain: one row a run and fact that tells it
-- key: seq, first_receipt_seq
-- column seq: Position in the log of the fact that tells it.
-- column first_receipt_seq: Position in INTAKE of the first.
-- column last_receipt_seq: Position in INTAKE of the last.
-- refresh: view
with runs as (
    select
        seq,
        first_seq,
        unnest(run_gaps) as gap,
        unnest(run_lengths) as length,
        unnest(range(len(run_lengths))) as number
    from ledger_repeated
),
placed as (
    select
        seq,
        length,
        first_seq + cast(sum(gap + length) over (partition by seq order by number) as bigint) as next_receipt_seq
    from runs
)
select
    seq,
    next_receipt_seq - length as first_receipt_seq,
    next_receipt_seq - 1 as last_receipt_seq
from placed
