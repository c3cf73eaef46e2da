"""What a postmortem asks the views. SQL finds; the template tells.

Each question is one SELECT about the incident ``$1``. The columns ``seq`` and ``seqs`` are the log positions that the
document cites for the row.
"""

INCIDENT = "select * from incidents where incident_id = $1"

# By name, because the order in which a program keeps its definitions says nothing about them.
RECEIPT = """
with definitions as (
    select unnest(
        from_json(json_extract(definitions, part), '[{"name": "VARCHAR", "sql": "VARCHAR"}]'), recursive := true
    )
    from warehouse_state, unnest(['$.typed', '$.views']) as parts(part)
)
select
    seq, recorded_at, version() as engine,
    (select sha256(string_agg(concat(name, chr(0), sql), chr(0) order by name)) from definitions) as definitions_sha256
from log
order by seq desc
limit 1
"""

SAID = """
with severities as (
    select replaces_seq as seq, arg_max(severity, seq) as believed, max(seq) as severity_corrected_seq
    from incident_severity_corrected
    where stream_id = $1
    group by replaces_seq
),
determinations as (
    select replaces_seq as seq, arg_max(determination, seq) as believed, max(seq) as determination_corrected_seq
    from incident_determination_corrected
    where stream_id = $1
    group by replaces_seq
)
select
    seq, type, title, service,
    -- A correction says nothing of its own: it changes what another event is believed to have said.
    case when type <> 'incident.severity_corrected' then coalesce(severities.believed, severity) end as severity,
    severity_corrected_seq,
    case
        when type <> 'incident.determination_corrected' then coalesce(determinations.believed, determination)
    end as determination,
    determination_corrected_seq
from incident_facts
left join severities using (seq)
left join determinations using (seq)
where stream_id = $1
order by seq
"""

MILESTONES = """
select milestone, episode, happened_at, said_at, earliest, latest, corrected_seq, recorded_at, seq, void
from incident_milestones
where incident_id = $1
order by happened_at, seq, milestone
"""

DURATIONS = """
select 1 as place, 'ttd' as metric, started_at, ended_at, duration_s, excluded_because
from ttd where incident_id = $1
union all
select 2, 'tta', started_at, ended_at, duration_s, excluded_because from tta where incident_id = $1
union all
select 3, 'ttc', started_at, ended_at, duration_s, excluded_because from ttc where incident_id = $1
union all
select 4, 'ttm', started_at, ended_at, duration_s, excluded_because from ttm where incident_id = $1
union all
select 5, 'ttr_recover', started_at, ended_at, duration_s, excluded_because
from ttr_recover where incident_id = $1
order by place
"""

IMPACT = """
select
    scope,
    started_at,
    ended_at,
    level_max,
    [started_seq, ended_seq] as seqs
from impact_intervals
where incident_id = $1
order by started_at, started_seq
"""

ROLES = """
select
    roles.role,
    roles.person_id,
    since,
    until,
    [
        since_seq,
        (
            select min(seq) from incident_facts
            where stream_id = $1
                and type in ('incident.role_assigned', 'incident.role_handoff_accepted', 'incident.role_relieved')
                and incident_facts.role = roles.role
                and seq > since_seq
                and happened_at = until
        )
    ] as seqs
from roles
where incident_id = $1
order by since, since_seq
"""

PAGES = """
select * from (
    select
        page_id, person_id, target, level, state, requested_at, sent_at, answered_at, channel, attempts,
        possibly_duplicate, error, withheld_reason,
        (select list(seq order by seq) from page_facts where stream_id = pages.page_id) as seqs
    from pages
    where incident_id = $1
)
order by seqs[1], page_id
"""

ACKNOWLEDGEMENTS = """
select seq, happened_at, actor, page_id, automatic
from incident_acknowledged
where stream_id = $1
order by seq
"""

ALERTS = """
select * from (
    select
        alert_key, title, severity, service, sender, state, occurrence, started_at, cleared_at,
        (
            select list(seq order by seq) from (
                select seq from alert_facts where stream_id = alerts.alert_key
                union
                select seq from incident_alert_linked
                where stream_id = $1 and incident_alert_linked.alert_key = alerts.alert_key
            )
        ) as seqs
    from alerts
    where incident_id = $1
)
order by seqs[1], alert_key
"""

ACTIONS = """
select * from (
    select
        action_id, text, purpose, owner_id, due_on, state,
        (
            select list(seq order by seq) from review_facts
            where stream_id = $1 and review_facts.action_id = action_items.action_id
        ) as seqs
    from action_items
    where incident_id = $1
)
order by seqs[1], action_id
"""

CORRECTIONS = """
select seq, kind, milestone, replaces_seq, replaces_type, from_value, to_value, actor, reason, evidence
from corrections
where incident_id = $1
order by seq
"""

TIMELINE = """
select seq, type, stream, happened_at, recorded_at, actor, headline, event_id, retracted_by_seq
from incident_timeline
where incident_id = $1
order by seq
"""
