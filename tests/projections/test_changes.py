"""The view ``changes``: what senders said was changed."""

from events.change import ChangeRecorded
from tests.spec import empty_warehouse, given, log_of, moment, stream


def change(outcome: str, **fields: str) -> ChangeRecorded:
    return ChangeRecorded(
        integration="key-cdevents",
        sender="cdevents",
        external_id="ci checkout-41",
        title=f"checkout: deployment {outcome}",
        kind="deployment",
        outcome=outcome,
        service="checkout",
        **fields,
    )


def test_a_change_shows_how_far_it_has_got():
    given(
        stream("change.c1", change("started", version="1.4"), at="09:00"),
        stream("change.c1", change("failed", version="1.4"), at="09:06"),
        stream("change.c2", change("finished", environment="production"), at="09:07"),
    ).view("changes").shows(
        {
            "change_key": "c1",
            "title": "checkout: deployment failed",
            "outcome": "failed",
            "version": "1.4",
            "environment": None,
            "began_at": moment("09:00"),
            "changed_at": moment("09:06"),
        },
        {"change_key": "c2", "outcome": "finished", "environment": "production", "version": None},
    )


def test_what_is_told_late_does_not_take_a_change_back():
    given(
        stream("change.c1", change("finished"), at="09:06"),
        stream("change.c1", change("started"), at="09:00"),
    ).view("changes").shows({"change_key": "c1", "outcome": "finished", "title": "checkout: deployment finished"})


def test_changes_are_the_same_live_rebuilt_and_as_of():
    history = log_of(
        stream("change.c1", change("finished"), at="09:06"),
        stream("change.c2", change("started"), at="09:07"),
        stream("change.c1", change("started"), at="09:00"),
        stream("change.c2", change("failed", version="1.5"), at="09:08"),
    )
    with empty_warehouse() as live:
        for stored in history:
            live.apply([stored])
        assert live.verify_views() == []
        with empty_warehouse() as earlier:
            earlier.apply(history[:3])
            told = "select * from changes order by change_key"
            assert live.ask(told, as_of=history[2].seq).dicts() == earlier.ask(told).dicts()
