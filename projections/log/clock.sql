-- The present moment of the log: the latest time at which any of its events was recorded.
-- It moves only with the log, so the same position always gives the same answer.
-- grain: one row
-- key: position
-- refresh: view
select
    max(seq) as position,
    max(recorded_at) as moment
from log
