-- What became of a receipt, where a fact or a dead letter names it. One of a dead letter that still waits counts as such,
-- also when a part of it became facts.
-- grain: one row a receipt
-- key: receipt_seq
-- column receipt_seq: Position in INTAKE.
-- column outcome: facts, duplicate, refused or dead. A dead letter that was handled since, and changed nothing, is a duplicate.
-- refresh: view
with named as (
    select receipt_seq, 3 as rank from alert_facts where receipt_seq > 0
    union all
    select receipt_seq, 3 from change_facts where receipt_seq > 0
    union all
    select receipt_seq, 3 from heartbeat_facts where receipt_seq > 0
    union all
    select
        source_seq,
        case
            when state = 'handled' then 4
            -- The sender was told with a 4xx that it cannot be used.
            when starts_with(error, 'InvalidPayload') then 2
            else 1
        end
    from dead_letters
    where source_stream = 'INTAKE'
)
select
    receipt_seq,
    case min(rank) when 1 then 'dead' when 2 then 'refused' when 3 then 'facts' else 'duplicate' end as outcome
from named
group by receipt_seq
