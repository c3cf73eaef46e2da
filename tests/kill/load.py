"""Senders and responders that work while things are killed, and remember every answer that they got.

They do what real ones do: repeat what was not answered, with the same key, until it is.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.e2e.deployment import Deployment

SENDERS = 4
RESPONDERS = 3
SERVICES = ("checkout", "search", "payments", "accounts")
# Together about 25 alerts a second: a storm for a person, and less than joins one incident on a slow machine, so that a
# long run does not measure a queue.
SENDER_PAUSE_S = (0.05, 0.25)
# A client's patience with one request, and how long it rests after a refusal: so that a killed process is asked again
# soon, and a dead one is not hammered.
REQUEST_TIMEOUT_S = 5.0
REST_S = 0.1


@dataclass
class Load:
    """What runs against a platform, and what was answered.

    Args:
        deployment: already running.
        seed: of every choice that the clients make.
    """

    deployment: Deployment
    seed: int
    accepted: set[str] = field(default_factory=set)
    """Keys of alerts that intake answered with 2xx."""
    noted: dict[str, int] = field(default_factory=dict)
    """Texts of notes that a command's answer said are stored, and at which position."""
    unexpected: list[str] = field(default_factory=list)
    """Answers that no client should ever get, whatever was killed."""
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self._threads = [
            *(threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)),
            *(threading.Thread(target=self._respond, args=(number,)) for number in range(RESPONDERS)),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"

    @property
    def answers(self) -> int:
        """How many answers all clients got so far."""
        return len(self.accepted) + len(self.noted)

    def _send(self, number: int) -> None:
        chance = random.Random(f"{self.seed}-sender-{number}")
        url = f"{self.deployment.platform.intake_url}/hooks/json/{self.deployment.platform.keys['json']}"
        sent = 0
        with httpx.Client(timeout=REQUEST_TIMEOUT_S) as client:
            while not self._over.is_set():
                sent += 1
                key = f"alert-{number}-{sent}"
                service = chance.choice(SERVICES)
                alert = {"title": f"{service} answers 500", "key": key, "severity": "critical", "service": service}
                if self._until_answered(lambda alert=alert: client.post(url, json=alert)):
                    self.accepted.add(key)
                time.sleep(chance.uniform(*SENDER_PAUSE_S))

    def _respond(self, number: int) -> None:
        chance = random.Random(f"{self.seed}-responder-{number}")
        headers = {"Authorization": f"Bearer {self.deployment.platform.token}", "Recount-Actor": "ada"}
        sent = 0
        with httpx.Client(base_url=self.deployment.platform.url, headers=headers, timeout=REQUEST_TIMEOUT_S) as client:
            while not self._over.is_set():
                sent += 1
                text = f"note {number}-{sent}"
                answer = self._until_answered(
                    lambda text=text: client.post(
                        "/api/incidents/INC-1/note",
                        json={"text": text},
                        headers={"Idempotency-Key": text.replace(" ", "-")},
                    )
                )
                if answer is not None:
                    self.noted[text] = answer.json()["seq"]
                time.sleep(chance.uniform(0.0, 0.05))

    def _until_answered(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        """Repeat it until it succeeds; None when the load is over first."""
        while True:
            try:
                answer = request()
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code not in (500, 502, 503, 504):
                self.unexpected.append(f"{answer.status_code}: {answer.text[:500]}")
                return None
            if answer is not None and answer.status_code == 500:
                self.unexpected.append(f"500: {answer.text[:500]}")
            if self._over.is_set():
                return None
            time.sleep(REST_S)
