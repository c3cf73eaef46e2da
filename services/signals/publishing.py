"""Publishing rules: what is published can be read again, names only what exists, and is not what holds already."""

import hashlib

from events import EventLog, Write
from events.rules import RulesPublished
from events.subjects import split
from services.command import CommandRefused, Done, Order
from services.decision import decide_and_append, event_of
from services.rules.advice import advice_on
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RuleSet
from services.signals.commands import PublishRules

SOURCE = "recount/signals"
RULES_ID = "default"
STREAM = f"rules.{RULES_ID}"
ASKED = "Cannot publish the rules"


class Publishing:
    """Carries out `publish_rules`."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def publish(self, order: Order, command: PublishRules) -> Done:
        """Have a rule set decide from now on.

        Raises:
            BadConfiguration: the text is no rule set.
            CommandRefused: it names a policy that does not exist.
        """
        text = command.text.replace("\r\n", "\n")
        rules = parse_rules(text)
        await self._check_policies(rules)
        advice = advice_on(rules)
        fact = RulesPublished(
            text=text,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            origin=command.origin,
            note=command.note,
        )

        async def attempt() -> tuple[tuple[Write, ...], str]:
            history = await self._log.read(STREAM)
            published = [past.fact for past in history if isinstance(past.fact, RulesPublished)]
            if any(past.event.causation_id == order.id for past in history):
                return (), "These rules were published by this order already."
            if fact.origin == "settings" and any(past.origin == "person" for past in published):
                return (), "Rules were published by hand, so the settings are not asked."
            if published and published[-1].text_sha256 == fact.text_sha256:
                return (), "These rules decide already."
            event = event_of(order, fact, source=SOURCE, happened_at=order.issued_at)
            told = " ".join(("These rules decide from now on.", *(f"Note: {one}." for one in advice)))
            return (Write(STREAM, history[-1].seq if history else 0, (event,)),), told

        seq, message = await decide_and_append(self._log, attempt)
        return Done(target=RULES_ID, seq=seq, message=message)

    async def _check_policies(self, rules: RuleSet) -> None:
        """A policy that does not exist would page nobody, and nobody would notice until then."""
        named = {route.policy: route.path for route in rules.route.walk() if route.policy}
        if not named:
            return
        known = {split(recorded.stream)[1] for recorded in await self._log.read_category("policy")}
        for policy, path in named.items():
            if policy not in known:
                listed = ", ".join(sorted(known)) or "there are none"
                raise CommandRefused(
                    ASKED,
                    because=f"route {path} names the policy {policy!r}, which is not configured ({listed})",
                    instead="configure it in recount.toml under [policies], or name another",
                    code="invalid",
                )
