-- Where the completeness ledger does not balance: the hours of a source with receipts of which nothing is said.
-- grain: one row a source, integration and hour
-- key: source, integration, hour
-- column source: Adapter, or what a producer on NATS called itself.
-- column hour: Beginning of the hour (UTC) in which INTAKE stored them.
-- column received: Payloads in INTAKE.
-- column accounted: Receipts that are a fact, a duplicate, refused or dead.
-- column first_receipt_seq: Position in INTAKE of the first that is unaccounted for; null when only the count is wrong.
-- refresh: view
with wrong as (
    select source, integration, hour, received, received - unaccounted as accounted
    from intake_ledger
    where unaccounted <> 0
),
positions as (
    select
        wrong.source,
        wrong.integration,
        wrong.hour,
        unnest(range(runs.first_receipt_seq, runs.last_receipt_seq + 1)) as receipt_seq
    from receipt_runs as runs
    join wrong
        on wrong.source = runs.source and wrong.integration = runs.integration and wrong.hour = runs.hour
),
unnamed as (
    select positions.source, positions.integration, positions.hour, positions.receipt_seq
    from positions
    anti join receipt_outcomes using (receipt_seq)
),
marks as (
    select first_receipt_seq as position, 0 as turn, last_receipt_seq as reach, null as source, null as integration,
        cast(null as timestamp) as hour
    from repeated_runs
    union all
    select receipt_seq, 1, null, source, integration, hour from unnamed
),
swept as (
    select
        position,
        turn,
        source,
        integration,
        hour,
        max(reach) over (order by position, turn rows between unbounded preceding and current row) as reached
    from marks
),
first_of as (
    select source, integration, hour, min(position) as first_receipt_seq
    from swept
    where turn = 1 and coalesce(reached, 0) < position
    group by source, integration, hour
)
select
    wrong.source,
    wrong.integration,
    wrong.hour,
    wrong.received,
    wrong.accounted,
    first_of.first_receipt_seq
from wrong
left join first_of
    on first_of.source = wrong.source and first_of.integration = wrong.integration and first_of.hour = wrong.hour
