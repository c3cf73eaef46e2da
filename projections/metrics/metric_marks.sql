-- The marks of each incident that metrics start and end at: when it reached what, by which event, and how precisely
-- that is known. They are its own, whatever was merged. ``first_…`` is the first one said, ``last_…`` the last; what
-- was voided, because the incident was mistakenly resolved, is neither. ``said_mitigated`` is only there when a
-- correction says so and no stretch of impact does.
-- grain: one row an incident
-- key: incident_id
-- refresh: view
select
    incident_id,
    min(mark) filter (where milestone = 'impact_started') as impact_started,
    min(mark) filter (where milestone = 'detected') as detected,
    min(mark) filter (where milestone = 'notified') as notified,
    arg_min(mark, mark.seq) filter (where milestone = 'acknowledged') as first_acknowledged,
    arg_min(mark, mark.seq) filter (where milestone = 'declared') as first_declared,
    min(mark) filter (where milestone = 'identified') as identified,
    arg_min(mark, mark.seq) filter (where milestone = 'contained') as first_contained,
    arg_max(mark, mark.seq) filter (where milestone = 'contained') as last_contained,
    min(mark) filter (where milestone = 'mitigated' and said_at is null) as said_mitigated,
    arg_max(mark, mark.seq) filter (where milestone = 'eradicated') as last_eradicated,
    arg_min(mark, mark.seq) filter (where milestone = 'resolved') as first_resolved,
    arg_max(mark, mark.seq) filter (where milestone = 'resolved') as last_resolved,
    arg_max(mark, mark.seq) filter (where milestone = 'closed') as last_closed
from (
    select
        incident_id,
        milestone,
        said_at,
        -- In the order in which marks compare.
        {
            'happened_at': happened_at, 'seq': seq, 'event_id': event_id,
            'earliest': earliest, 'latest': latest
        } as mark
    from incident_milestones
    where not void
)
group by incident_id
