"""Apprise against a real HTTP server, and which of its services may be used."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from events.person import Contact
from services.notifier.channel import ChannelFailed, ChannelSettings, Message
from services.notifier.channels import ContactRules, UnknownChannel, UnusableContact, apprise, find_channels

MESSAGE = Message(id="pg-1.1", subject="[sev1] INC-42", body="checkout is down", at=datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict]]]:
    received: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *_arguments):
            """Nothing of it belongs into the output of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_message_reaches_the_service_of_the_url(hook):
    url, received = hook
    receipt = await apprise.send(MESSAGE, Contact(channel="json", address=f"{url}/hook"), ChannelSettings())
    assert receipt.reference == "pg-1.1"
    assert [(body["title"], body["message"]) for body in received] == [("[sev1] INC-42", "checkout is down")]


async def test_a_service_that_refuses_is_a_failure_without_the_address(hook):
    url, _received = hook
    with pytest.raises(ChannelFailed) as caught:
        await apprise.send(MESSAGE, Contact(channel="json", address=f"{url}/broken"), ChannelSettings())
    assert "127.0.0.1" not in str(caught.value)


async def test_a_url_that_apprise_cannot_use_is_final():
    with pytest.raises(ChannelFailed) as caught:
        await apprise.send(MESSAGE, Contact(channel="slack", address="slack://"), ChannelSettings())
    assert caught.value.permanent


@pytest.mark.parametrize("scheme", ["json", "ntfy", "gotify", "mailto", "file", "dbus", "http", "syslog"])
def test_a_contact_may_not_choose_its_own_host(scheme: str):
    with pytest.raises(UnknownChannel, match=f"no channel serves contacts {scheme}:"):
        ContactRules().require_usable(Contact(channel=scheme, address=f"{scheme}://10.0.0.1/admin"))


def test_an_operator_may_allow_a_service_of_free_hosts():
    rules = ContactRules(find_channels(frozenset({"ntfy"})))
    rules.require_usable(Contact(channel="ntfy", address="ntfy://ntfy.example.org/checkout"))
    with pytest.raises(UnknownChannel):
        rules.require_usable(Contact(channel="json", address="json://10.0.0.1"))


def test_allowing_cannot_open_what_no_channel_offers():
    with pytest.raises(UnknownChannel, match=r"channels\.allow names 'file', which no channel serves"):
        find_channels(frozenset({"file"}))


def test_a_broken_url_is_told_before_it_is_needed():
    with pytest.raises(UnusableContact, match="a contact slack: cannot be used"):
        ContactRules().require_usable(Contact(channel="slack", address="slack://"))


def test_a_scheme_may_not_hide_another():
    with pytest.raises(UnusableContact):
        ContactRules().require_usable(Contact(channel="slack", address="file:///etc/passwd"))
    with pytest.raises(UnusableContact):
        ContactRules().require_usable(Contact(channel="slack", address="json://10.0.0.1/admin"))


@pytest.mark.parametrize("scheme", [*apprise.SCHEMES, *apprise.SCHEMES_ON_REQUEST])
def test_every_scheme_is_one_of_apprise(scheme: str):
    service = apprise.service_class(scheme)
    names = [getattr(service, kind, None) or () for kind in ("protocol", "secure_protocol")]
    assert scheme in {name for some in names for name in ([some] if isinstance(some, str) else some)}


def test_channels_are_found_by_their_files():
    assert {"smtp", "console", "slack"} <= set(find_channels())
