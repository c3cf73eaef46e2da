"""Which address belongs to whom, what a receipt keeps of it, and how the key is taken out."""

from datetime import UTC, datetime

import pytest

from events.receipt import Receipt
from services.intake.adapters import TARGET_HEADER, Request, Route, adapters
from services.intake.credentials import address_without, body_without, presented_secret
from services.intake.keys import Key
from services.intake.routing import QUERY_FIELDS_MAX, Routes, query_fields, target_of

KEY = Key(key_id="key-1", sender="json", secret_sha256="0" * 64)


def receipt(target: str) -> Receipt:
    return Receipt(
        source="opsgenie",
        integration="key-1",
        received_at=datetime(2026, 3, 1, tzinfo=UTC),
        headers={TARGET_HEADER: target} if target else {},
        body=b"",
    )


def test_the_template_that_says_more_wins_and_one_with_the_method_wins_over_that():
    routes: Routes[str] = Routes()
    routes.add(Route("POST", "/v2/alerts/{identifier}/{action}"), "act")
    routes.add(Route("GET", "/v2/alerts/requests/{request_id}"), "status")
    routes.add(Route("POST", "/v2/alerts"), "create")
    asked = routes.find("/v2/alerts/requests/a%2Fb", "GET")
    assert (asked.owners, asked.parameters) == ({"GET": "status"}, {"request_id": "a/b"})
    assert routes.find("/v2/alerts/requests/close", "POST").owners == {"POST": "act"}
    assert routes.find("/v2/alerts/x/close", "DELETE").owners == {"POST": "act"}
    assert routes.find("/v2/alerts", "GET").owners == {"POST": "create"}
    assert routes.find("/v2/alerts//close", "POST") is None
    with pytest.raises(ValueError, match="two owners"):
        routes.add(Route("POST", "/v2/alerts"), "another")


def test_a_receipt_tells_its_target():
    routes = adapters()["opsgenie"].routes
    target = target_of(receipt("POST /v2/alerts/db%2F1/close?identifierType=alias&x=1&x=2"), routes)
    assert target.template == "/v2/alerts/{identifier}/{action}"
    assert target.parameters == {"identifier": "db/1", "action": "close"}
    assert target.query == {"identifierType": "alias", "x": "1"}
    assert (target_of(receipt(""), routes).method, target_of(receipt(""), routes).template) == ("POST", "")
    assert target_of(receipt("PUT /hooks/grafana?a=b"), ()).query == {"a": "b"}
    assert query_fields("&".join("a=b" for _ in range(QUERY_FIELDS_MAX + 1))) == {}


@pytest.mark.parametrize(
    ("address", "without"),
    [
        ("/x/s3cret/close?apiKey=s3cret", "/x/key-1/close?apiKey=key-1"),
        ("/x?apiKey=%733cret&b=%26", "/x?apiKey=key-1&b=%26"),
        ("/x?note=see+s3cret+there", "/x?note=see%2Bkey-1%2Bthere"),
        ("/x?a=b", "/x?a=b"),
    ],
)
def test_the_key_is_taken_out_of_an_address_however_it_is_written(address: str, without: str):
    assert address_without("s3cret", KEY, address) == without


def test_the_key_is_taken_out_of_a_form():
    form = b"token=%733cret&note=a%26b+s3cret"
    kept = body_without(adapters()["json"], "s3cret", KEY, "application/x-www-form-urlencoded", form)
    assert kept == b"token=key-1&note=a%26b+key-1"


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer abc", "abc"),
        ("basic cmVjb3VudDphYmM=", "abc"),
        ("Basic YWJjOg==", "abc"),
        ("Basic YWJj", "abc"),
        ("Basic ???", ""),
        ("GenieKey abc", "abc"),
        ("Digest abc", ""),
        ("", ""),
    ],
)
def test_where_a_key_is_found(header: str, secret: str):
    request = Request(method="POST", path="/v2/alerts", headers={"authorization": header})
    assert presented_secret(adapters()["opsgenie"], "", request) == secret
