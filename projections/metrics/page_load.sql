-- How often each person was paged, by month: pages that a channel took, the incidents they were for, how many came out
-- of hours (before 08:00 or from 18:00, or on a Saturday or Sunday) and how many at night (22:00 to 07:00).
-- The hours are those of the rotation that the person was paged for, in the time zone that it had when it happened, with
-- its daylight saving time; UTC where a person was paged directly. A person's own zone is no part of the log.
-- A false positive wakes as well as a real incident, so that every page counts.
-- metric: pages, version 1
-- grain: one row a month and person
-- key: month, person_id
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
    date_trunc('month', sent_at) as month,
    person_id,
    count(*) as pages,
    count(distinct incident_id) as incidents,
    count(*) filter (where hour(local_time) < 8 or hour(local_time) >= 18 or isodow(local_time) >= 6) as out_of_hours,
    count(*) filter (where hour(local_time) < 7 or hour(local_time) >= 22) as at_night
from delivered
group by month, person_id
