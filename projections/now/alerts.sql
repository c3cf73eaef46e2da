-- Every distinct alert as it stands: its present occurrence, whether that still holds, and which incident has it.
-- grain: one row an alert
-- key: alert_key
-- column severity: critical, error, warning, info or unknown: the sender's word for it in Recount's terms.
-- column state: firing, acknowledged or cleared.
-- column held_because: What kind of rule holds it back at present; null when nothing does.
-- column held_by: Id of the silence, name of the inhibition rule, time interval or route; null when nothing does.
-- column held_until_at: When it is looked at again at the latest; null when that depends on another event.
-- refresh: closure
with folded as (
    select
        stream_id as alert_key,
        arg_max(type, seq) filter (where type in (
            'alert.fired', 'alert.acknowledged', 'alert.cleared', 'alert.cleared_unseen'
        )) as last_step,
        arg_max(title, seq) filter (where title <> '') as title,
        arg_max(severity, seq) as severity,
        arg_max(service, seq) filter (where service <> '') as service,
        arg_max(sender, seq) as sender,
        arg_max(integration, seq) as integration,
        arg_max(fingerprint, seq) as fingerprint,
        arg_max(labels, seq) filter (where type = 'alert.fired') as labels,
        arg_max(annotations, seq) filter (where cardinality(annotations) > 0) as annotations,
        arg_max(url, seq) filter (where url <> '') as url,
        coalesce(max(occurrence), 0) as occurrence,
        arg_max(happened_at, seq) filter (where type = 'alert.fired') as started_at,
        arg_max(happened_at, seq) filter (where type in ('alert.cleared', 'alert.cleared_unseen')) as last_cleared_at,
        arg_max(recorded_at, seq) filter (where type = 'alert.fired') as fired_recorded_at,
        max(recorded_at) as last_recorded_at,
        max(seq) filter (where type = 'alert.passed_over') as passed_over_seq,
        arg_max(reason, seq) filter (where type = 'alert.passed_over') as passed_over_reason,
        max(seq) filter (where type = 'alert.held') as held_seq,
        arg_max(because, seq) filter (where type = 'alert.held') as held_because,
        arg_max(held_by, seq) filter (where type = 'alert.held') as held_by,
        -- Kept as null when the last one names no time, which arg_max would pass over.
        arg_max(row(until_at), seq) filter (where type = 'alert.held') as held_until,
        max(seq) filter (where type in ('alert.fired', 'alert.cleared', 'alert.cleared_unseen')) as changed_seq,
        max(seq) as last_seq
    from alert_facts
    group by stream_id
),
link_facts as (
    select stream_id as incident_id, alert_key, seq, true as belongs from incident_alert_linked
    union all
    select stream_id, alert_key, seq, false from incident_alert_unlinked
),
incident_of as (
    select alert_key, incident_id, arg_max(belongs, seq) as belongs, max(seq) as linked_seq
    from link_facts
    group by alert_key, incident_id
),
linked as (
    select alert_key, arg_max(incident_id, linked_seq) as incident_id, max(linked_seq) as linked_seq
    from incident_of
    where belongs
    group by alert_key
)
select
    folded.alert_key,
    case folded.last_step
        when 'alert.fired' then 'firing'
        when 'alert.acknowledged' then 'acknowledged'
        else 'cleared'
    end as state,
    folded.title,
    coalesce(folded.severity, 'unknown') as severity,
    folded.service,
    folded.sender,
    folded.integration,
    folded.fingerprint,
    coalesce(folded.labels, cast(map() as map(varchar, varchar))) as labels,
    coalesce(folded.annotations, cast(map() as map(varchar, varchar))) as annotations,
    folded.url,
    folded.occurrence,
    folded.started_at,
    case when folded.last_step in ('alert.cleared', 'alert.cleared_unseen') then folded.last_cleared_at end as cleared_at,
    coalesce(folded.fired_recorded_at, folded.last_recorded_at) as received_at,
    -- A later firing that was passed over leaves the incident of an earlier one.
    case when folded.linked_seq > coalesce(folded.passed_over_seq, 0) then folded.incident_id end as incident_id,
    case when folded.passed_over_seq > coalesce(folded.linked_seq, 0) then folded.passed_over_reason end
        as passed_over_reason,
    case when is_held then folded.held_because end as held_because,
    case when is_held then folded.held_by end as held_by,
    case when is_held then folded.held_until[1] end as held_until_at,
    folded.last_seq
from (
    select
        folded.*,
        linked.incident_id,
        linked.linked_seq,
        -- Until it is placed, passed over, clears or fires anew.
        coalesce(
            folded.held_seq > greatest(
                coalesce(linked.linked_seq, 0), coalesce(folded.passed_over_seq, 0), coalesce(folded.changed_seq, 0)
            ),
            false
        ) as is_held
    from folded
    left join linked using (alert_key)
) as folded
