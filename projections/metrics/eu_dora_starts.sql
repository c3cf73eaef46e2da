-- From when the EU's Digital Operational Resilience Act has an incident measured (Commission Delegated Regulation (EU)
-- 2024/1772, article 3): ``occurred``, the earliest start of impact that is known of it and what was merged into it;
-- where that is not known, its detection, or else the record in a log that is earlier. Such a record is the firing of an
-- alert that belongs to it, at the time that its sender gives.
-- grain: one row an incident
-- key: incident_id
-- column occurred: The start of impact, by which event, and how precisely; null when it is not known.
-- column substitute: Where it is not known, what it is measured from instead; null when nothing says.
-- column started_by: What it is measured from: `occurrence`, `detection` or `log record`.
-- refresh: view
with records as (
    select
        roots.root_incident_id as incident_id,
        min({
            'happened_at': fired.happened_at, 'seq': fired.seq, 'event_id': fired.event_id,
            'earliest': fired.happened_earliest, 'latest': fired.happened_latest
        }) as record
    from incident_alert_linked as linked
    join root_incidents as roots on roots.incident_id = linked.stream_id
    join alert_fired as fired on fired.stream_id = linked.alert_key and fired.occurrence = linked.occurrence
    left join incident_alert_unlinked as unlinked
        on unlinked.stream_id = linked.stream_id and unlinked.alert_key = linked.alert_key
        and unlinked.seq > linked.seq
    where unlinked.seq is null
    group by roots.root_incident_id
)
select
    population.incident_id,
    population.impact_started as occurred,
    least(population.detected, records.record) as substitute,
    case
        when population.impact_started is not null then 'occurrence'
        when records.record.happened_at < population.detected.happened_at then 'log record'
        when population.detected is not null then 'detection'
        when records.record is not null then 'log record'
    end as started_by
from metric_population as population
left join records using (incident_id)
