-- Each page that a channel took, and when that was for the one it woke: out of hours (before 08:00 or from 18:00, or on
-- a Saturday or Sunday), at night (22:00 to 07:00).
-- The hours are those of the rotation that the person was paged for, in the time zone that it had when it happened, with
-- its daylight saving time; UTC where a person was paged directly. A person's own zone is no part of the log.
-- A false positive wakes as well as a real incident, so that every page counts. Service and severity are those of the
-- incident that it was for, whatever that was merged into; the team is the rotation.
-- metric: pages, version 1
-- grain: one row a page
-- key: page_id
-- column local_time: When a channel took it, in the time zone of the rotation.
-- column team: The rotation that was paged; null where a person was paged directly.
-- column out_of_hours: Whether that was before 08:00, from 18:00 on, or on a weekend.
-- column at_night: Whether that was from 22:00 to 07:00.
-- refresh: view
with zones as (
    select
        stream_id as rotation_id,
        zone,
        seq,
        lead(seq) over (partition by stream_id order by seq) as until_seq
    from rotation_configured
),
requested as (
    select stream_id as page_id, seq from page_requested
),
delivered as (
    select
        pages.page_id,
        pages.person_id,
        pages.incident_id,
        case when pages.target like 'rotation.%' then split_part(pages.target, '.', 2) end as team,
        pages.sent_at,
        -- Naive time in UTC, to an instant, to naive time in the zone.
        timezone(coalesce(known.name, 'UTC'), timezone('UTC', pages.sent_at)) as local_time
    from pages
    join requested using (page_id)
    left join zones
        on pages.target = 'rotation.' || zones.rotation_id
        and requested.seq > zones.seq and (zones.until_seq is null or requested.seq < zones.until_seq)
    -- The engine refuses a zone that it does not know, and no event may stop a view.
    left join pg_timezone_names() as known on known.name = zones.zone
    where pages.sent_at is not null and pages.person_id is not null
)
select
    delivered.page_id,
    date_trunc('month', delivered.sent_at) as month,
    delivered.person_id,
    delivered.incident_id,
    incidents.service,
    delivered.team,
    incidents.severity_declared,
    delivered.sent_at,
    delivered.local_time,
    hour(delivered.local_time) < 8 or hour(delivered.local_time) >= 18 or isodow(delivered.local_time) >= 6
        as out_of_hours,
    hour(delivered.local_time) < 7 or hour(delivered.local_time) >= 22 as at_night
from delivered
left join incidents using (incident_id)
