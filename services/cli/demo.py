"""``recount demo``: a realistic incident, played through the doors that everybody uses.

The alerts come as a stock Alertmanager sends them (webhook payload version 4), the rest as commands over HTTP. What it
does stays in the log like anything else: play it on an installation that may keep it.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import typer

from events import RecountError
from events.ids import key_of, new_event_id
from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json
from services.cli.demo_people import Players, make_ready
from services.cli.orders import send_order
from services.cli.reading import catch_up
from services.running import read_running

PAUSE_S = 1.7  # a dozen of them make about twenty seconds: slow enough to follow in the web beside it
WAIT_S_MAX = 15.0
POLL_S = 0.1
# The alert has fired for a while when it arrives, and customers noticed before it did.
BEGAN_BEFORE = timedelta(minutes=3)
UNNOTICED = timedelta(minutes=2)

LATENCY = {"alertname": "CheckoutLatencyHigh", "severity": "error", "team": "payments"}
ERRORS = {"alertname": "CheckoutErrorRate", "severity": "critical", "team": "payments"}
# The first that no open incident is about, which the alerts would join; a first alert by hand often is about checkout.
SERVICES = ("checkout", "checkout-demo")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def demo(
        fast: Annotated[bool, typer.Option("--fast", help="Without the pauses.")] = False,
        intake: Annotated[
            str, typer.Option("--intake", metavar="URL", envvar="RECOUNT_INTAKE_URL", help="Where alerts are received.")
        ] = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Play an incident through the running platform: alert, page, commander, mitigation, postmortem."""
        running = read_running(data)
        intake_url = intake or (running.intake_url if running else "")
        if not intake_url:
            raise RecountError(
                "the demo does not know where alerts are received",
                hint="Give --intake http://HOST:8081, or start the platform with `recount up`.",
            )
        with connect(data) as api, httpx.Client(base_url=intake_url, timeout=WAIT_S_MAX) as door:
            catch_up(api)
            play = Play(api, door, make_ready(api, (lambda _: None) if as_json else say), fast=fast, quiet=as_json)
            try:
                play.run()
            finally:
                play.close_door()
        if as_json:
            show_json({"incident_id": play.incident, "url": f"{play.url}/incidents/{play.incident}"})


class Play:
    """One showing."""

    def __init__(self, api: Api, door: httpx.Client, players: Players, *, fast: bool, quiet: bool) -> None:
        self._api = api
        self._door = door
        self._players = players
        self._pause_s = 0.0 if fast else PAUSE_S
        self._quiet = quiet
        self._began = datetime.now(UTC) - BEGAN_BEFORE
        self._service = self._free_service()
        self._instance = f"checkout-{key_of(new_event_id())[:6]}"  # each showing is an alert of its own
        made = api.post("/api/keys", json={"sender": "alertmanager", "name": "demo"})
        self._key_id, self._key = made["key_id"], made["secret"]
        self.url = api.url
        self.incident = ""
        self._last_seq = 0

    def run(self) -> None:
        """The story, from the first alert to the postmortem."""
        ada, grace = self._players.first, self._players.second
        self._alert(LATENCY, "p99 latency of checkout is above 2 s", "firing")
        self._tell("Alertmanager: CheckoutLatencyHigh fires. It is stored before it is answered.")
        self.incident = self._incident_of_alert()
        self._tell(f"{self.incident} was opened by rule. Look: {self.url}/incidents/{self.incident}")
        self._order("acknowledge", {"page_id": self._page()}, ada)
        self._order("assign", {"role": "commander", "person_id": ada}, ada)
        self._order(
            "impact", {"scope": "checkout", "level": 2, "happened_at": (self._began - UNNOTICED).isoformat()}, ada
        )
        self._alert(ERRORS, "5 % of checkouts fail", "firing")
        self._wait(
            f"select 1 from incidents where incident_id = '{self.incident}' and alert_count >= 2", "the second alert"
        )
        self._tell("Alertmanager: CheckoutErrorRate fires, and joins the same incident.")
        self._order("severity", {"severity": "sev1", "reason": "half of all payments are affected"}, ada)
        self._order("note", {"text": "The last release doubled the queries of a checkout. Rolling it back."}, grace)
        self._order("contain", {"summary": "rolled back release 2026.11.3"}, grace)
        self._alert(LATENCY, "p99 latency of checkout is above 2 s", "resolved")
        self._alert(ERRORS, "5 % of checkouts fail", "resolved")
        self._wait(f"select 1 where not exists ({self._firing})", "the alerts to clear")
        self._tell("Alertmanager: both alerts are resolved.")
        self._order("resolve", {"summary": "latency and error rate are normal for ten minutes"}, ada)
        action = {"text": "Load-test checkout before each release", "purpose": "prevent", "owner_id": grace}
        self._order("agree_action", action, ada)
        self._say_what_to_look_at()

    def close_door(self) -> None:
        """Revoke the demo's integration key."""
        self._api.delete(f"/api/keys/{self._key_id}", reason="the demo is over")

    def _free_service(self) -> str:
        """A service without an open incident, or the story would be another."""
        sql = (
            "select service, min(incident_id) from incidents "
            "where phase in ('triage', 'active', 'contained', 'eradicated') group by service"
        )
        open_ones: dict[str, str] = dict(self._api.post("/api/sql", json={"sql": sql})["rows"])
        for service in SERVICES:
            if service not in open_ones:
                return service
        incident = open_ones[SERVICES[-1]]
        raise RecountError(
            f"{incident} about {SERVICES[-1]} is open: the alerts of the demo would join it",
            hint=f"End it first: recount resolve {incident} (what still has impact: recount contain {incident}).",
        )

    def _alert(self, labels: dict[str, str], summary: str, status: str) -> None:
        alert = {
            "status": status,
            "labels": labels | {"service": self._service, "instance": self._instance},
            "annotations": {"summary": summary, "runbook_url": "https://runbooks.example.org/checkout"},
            "startsAt": self._began.isoformat(),
            "endsAt": datetime.now(UTC).isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.org/graph",
            "fingerprint": key_of(labels["alertname"], self._instance)[:16],
        }
        group = {"service": self._service}
        payload = {
            "version": "4",
            "groupKey": f'{{}}:{{service="{self._service}"}}',
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "recount",
            "groupLabels": group,
            "commonLabels": group,
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.org",
            "alerts": [alert],
        }
        try:
            response = self._door.post(f"/hooks/alertmanager/{self._key}", json=payload)
        except httpx.TransportError as error:
            raise RecountError(
                f"{self._door.base_url} cannot be reached: {error}", hint="Is it the intake's URL?"
            ) from error
        if not response.is_success:
            raise RecountError(f"intake answered {response.status_code}: {response.text}", hint="recount doctor")

    def _order(self, verb: str, command: dict[str, Any], actor: str) -> None:
        done = send_order(self._api, self.incident, verb, command, actor=actor)
        self._last_seq = done.seq or self._last_seq
        self._tell(f"{done.message} (log position {done.seq})" if done.seq else f"{done.message} (nothing to change)")

    def _incident_of_alert(self) -> str:
        fingerprint = key_of(LATENCY["alertname"], self._instance)[:16]
        sql = f"select incident_id from alerts where fingerprint = '{fingerprint}' and incident_id is not null"
        return str(self._wait(sql, "the alert to open an incident")[0][0])

    @property
    def _firing(self) -> str:
        return f"select 1 from alerts where incident_id = '{self.incident}' and state <> 'cleared'"

    def _page(self) -> str:
        """Wait for the page, tell of it, and give its id; empty when it was withheld."""
        sql = (
            "select page_id, state, coalesce(people.name, person_id, 'nobody'), channel, withheld_reason "
            "from pages left join people using (person_id) "
            f"where incident_id = '{self.incident}' and state not in ('requested', 'attempted') order by page_id"
        )
        page_id, state, who, channel, reason = self._wait(sql, "a page")[0]
        if state == "withheld":
            self._tell(f"On-call: the page was withheld: {reason}.")
            return ""
        self._tell(f"On-call: {who} is paged by {channel}.")
        return str(page_id)

    def _wait(self, sql: str, what: str) -> list[list[Any]]:
        deadline = time.monotonic() + WAIT_S_MAX
        while time.monotonic() < deadline:
            rows: list[list[Any]] = self._api.post("/api/sql", json={"sql": sql})["rows"]
            if rows:
                return rows
            time.sleep(POLL_S)
        raise RecountError(
            f"waited {WAIT_S_MAX:.0f} s in vain for {what}",
            hint="Do the actors and readers run? `recount doctor` tells.",
        )

    def _tell(self, sentence: str) -> None:
        if not self._quiet:
            say(f"{datetime.now(UTC):%H:%M:%S}  {sentence}")
        time.sleep(self._pause_s)

    def _say_what_to_look_at(self) -> None:
        if self._quiet:
            return
        earlier = self._began - UNNOTICED - UNNOTICED
        correction = (
            f"recount correct {self.incident} impact_started --at {earlier:%Y-%m-%dT%H:%M:%SZ} "
            '--reason "a customer had written"'
        )
        say("")
        say("That was an incident. Now look at it again:")
        for command, what in (
            (f"{self.url}/incidents/{self.incident}", "its page"),
            (f"recount replay {self.incident}", "the whole story, with both clocks"),
            (f"recount postmortem {self.incident}", "the postmortem, each line citing the log"),
            ("recount metrics", "how long it took, with receipts; of one incident, its values"),
            (correction, "you learn that it began earlier: what was said before stays, and shows as such"),
            (f"recount diff --from {self._last_seq}", "which rows and figures that changed, and because of what"),
            ("recount verify --views", "proof that the views say what the log says"),
        ):
            say(f"  {command}")
            say(f"      {what}")
