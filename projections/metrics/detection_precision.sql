-- How many of the incidents that were found turned out to be real, by what found them: confirmed, of those that were
-- confirmed, false positive or benign. What was not determined, and what was an attempt that failed or was blocked, is
-- neither. A dismissal as false positive or benign says so as a determination does.
-- Counts can be added up over rows, and the precision computed from the sums; precisions cannot be averaged.
-- metric: detection_precision, version 1
-- population: root incidents without exercises, in the month in which they were detected
-- grain: one row a month, source, service and team
-- key: month, source, service, team
-- refresh: view
with dismissals as (
    select stream_id as incident_id, arg_max(reason, seq) as reason
    from incident_dismissed
    group by stream_id
),
judged as (
    select
        date_trunc('month', dimensions.detected_at) as month,
        dimensions.source,
        dimensions.service,
        dimensions.team,
        case
            when incidents.phase = 'dismissed' and dismissals.reason in ('false_positive', 'benign', 'exercise')
                then dismissals.reason
            else incidents.determination
        end as determination
    from incidents
    join metric_dimensions as dimensions using (incident_id)
    left join dismissals using (incident_id)
    where incidents.merged_into is null
)
select
    month,
    source,
    service,
    team,
    count(*) filter (where determination = 'confirmed') as confirmed,
    count(*) filter (where determination = 'false_positive') as false_positive,
    count(*) filter (where determination = 'benign') as benign,
    count(*) filter (where determination in ('suspected', 'blocked', 'failed_attempt')) as not_judged,
    count(*) filter (where determination = 'confirmed')
        / nullif(count(*) filter (where determination in ('confirmed', 'false_positive', 'benign')), 0) as precision
from judged
where determination <> 'exercise'
group by month, source, service, team
