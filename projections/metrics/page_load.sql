-- How often each person was paged, by month: pages that a channel took (`delivered_pages`), the incidents they were for,
-- how many came out of hours and how many at night.
-- metric: pages, version 1
-- grain: one row a month and person
-- key: month, person_id
-- refresh: view
select
    month,
    person_id,
    count(*) as pages,
    count(distinct incident_id) as incidents,
    count(*) filter (where out_of_hours) as out_of_hours,
    count(*) filter (where at_night) as at_night
from delivered_pages
group by month, person_id
