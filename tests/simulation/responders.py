"""The people of the simulated world: they ask for what comes to their mind, at once with others, and ask again when
no answer comes."""

from datetime import timedelta
from random import Random
from typing import Any, get_args

import msgspec

from events.incident import DismissalReason, Milestone
from events.memory_log import MemoryLog
from services.clock import FakeClock
from services.command import Answer, Order, Refused
from services.incidents.service import Incidents
from tests.simulation.faults import Crash

ADA, BOB, GRACE = "per-ada", "per-bob", "per-grace"
PEOPLE = (ADA, BOB, GRACE)
# People mostly ask about what is going on now, so that some incidents go far.
RECENT = 4
# So often the answer to what was done is lost on its way, and it is asked again.
ANSWERS_LOST = 0.15

# How often each verb comes to mind. Acknowledging and resolving are what people do most.
VERBS = {
    "acknowledge": 8,
    "resolve": 8,
    "contain": 3,
    "eradicate": 2,
    "regress": 2,
    "reopen": 3,
    "close": 2,
    "dismiss": 1,
    "reinstate": 2,
    "merge": 2,
    "unmerge": 3,
    "declare": 3,
    "note": 2,
    "severity": 2,
    "assign": 3,
    "offer": 5,
    "accept": 5,
    "relieve": 1,
    "impact": 4,
    "determine": 1,
    "rename": 1,
    "agree_action": 1,
    "correct": 3,
    "retract": 4,
    "correct_severity": 1,
    "correct_determination": 1,
}


class Responders:
    """Ada, bob and grace, in front of copies of the incidents service."""

    def __init__(self, copies: list[Incidents], log: MemoryLog, random: Random, clock: FakeClock) -> None:
        self.copies = copies
        self._log = log
        self._random = random
        self._clock = clock
        self._unanswered: list[tuple[Order, str]] = []
        self._asked = 0
        self._positions: list[int] = []
        self.answers: list[tuple[Order, str, Answer]] = []

    async def ask_something(self) -> None:
        """One person asks one thing, or asks again what was not answered."""
        if self._unanswered and self._random.random() < 0.5:
            await self._ask(*self._unanswered.pop(0))
            return
        verb = self._random.choices(list(VERBS), list(VERBS.values()))[0]
        history = await self._log.read_category("incident")
        incidents = list(dict.fromkeys(past.stream.partition(".")[2] for past in history))
        target = self._random.choice(incidents[-RECENT:]) if incidents and verb != "declare" else ""
        self._positions = [past.seq for past in history if past.stream == f"incident.{target}"]
        self._asked += 1
        order = Order(
            id=f"order-{self._asked}",
            actor=self._random.choice(PEOPLE),
            issued_at=self._clock.now(),
            target=target,
            command=msgspec.Raw(msgspec.json.encode(self._wish(verb, incidents))),
        )
        await self._ask(order, verb)
        if self._random.random() < ANSWERS_LOST:
            self._unanswered.append((order, verb))  # the answer was lost on its way

    async def ask_again(self) -> None:
        """Ask what was not answered, until it is."""
        while self._unanswered:
            await self._ask(*self._unanswered.pop(0))

    async def _ask(self, order: Order, verb: str) -> None:
        try:
            answer = await self._random.choice(self.copies).handle(order, verb)
        except Crash:
            self._unanswered.append((order, verb))
            return
        if isinstance(answer, Refused) and answer.code == "unavailable":
            self._unanswered.append((order, verb))
            return
        self.answers.append((order, verb, answer))

    def _wish(self, verb: str, incidents: list[str]) -> dict[str, Any]:
        choose = self._random.choice
        match verb:
            case "declare":
                services = ("checkout", "search", "")
                return {"title": "users complain", "severity": choose(("sev1", "sev3")), "service": choose(services)}
            case "contain":
                return {"ends_impact": choose((True, False))}
            case "regress" | "reinstate":
                return {"reason": "it is back"}
            case "reopen":
                return {"reason": "it is back", "kind": choose(("relapse", "mistaken"))}
            case "close" | "resolve" | "eradicate":
                return {"waiver": choose(("", "not needed"))}
            case "dismiss":
                return {"reason": choose(get_args(DismissalReason))}
            case "merge":
                return {"into_incident_id": choose(incidents or ["INC-1"])}
            case "note":
                return {"text": "looked at it"}
            case "severity":
                return {"severity": choose(("sev1", "sev2", "sev3"))}
            case "assign" | "offer" | "relieve":
                return {"role": choose(("commander", "scribe")), "person_id": choose(PEOPLE)}
            case "accept":
                return {"role": choose(("commander", "scribe"))}
            case "impact":
                return {"scope": choose(("checkout", "search")), "level": choose((0, 2, 4))}
            case "determine":
                return {"determination": choose(("confirmed", "false_positive", "suspected"))}
            case "rename":
                return {"title": choose(("users complain", "checkout is down"))}
            case "agree_action":
                return {"text": "write a runbook", "owner_id": choose(("", BOB))}
            case "correct":
                return {
                    "milestone": choose(get_args(Milestone)),
                    "occurred_at": self._clock.now() - timedelta(minutes=self._random.randint(0, 60)),
                    "reason": "the graph",
                }
            case "retract":
                return {"seq": choose(self._positions or [1]), "reason": "a typo"}
            case "correct_severity":
                return {"severity": choose(("sev1", "sev4")), "reason": "a second look"}
            case "correct_determination":
                return {"determination": choose(("confirmed", "false_positive")), "reason": "a second look"}
            case _:
                return {}
