"""Amazon EventBridge, posted directly by an API destination (user guide, "API destinations as targets").

Alarms of CloudWatch and findings of GuardDuty become alerts as they do through SNS; any other event is an alert of
unknown severity, named by its type and its first resource, that nothing clears but a rule.

An API destination wants an answer within 5 seconds, repeats 429 and 5xx for up to 24 hours and gives up at any other
4xx. It does not sign: the integration key is its ``Authorization`` header or the password of basic authentication.
"""

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.aws_messages import decoded, signals_of
from services.intake.payload import accepted, as_parsed
from services.intake.signal import Signal


def parse(receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.parse`."""
    event = decoded(receipt.body)
    if not isinstance(event, dict):
        raise InvalidPayload("not an event of EventBridge: the body is not a JSON object")
    return signals_of(event)


ADAPTER = Adapter(
    name="eventbridge",
    parse=parse,
    signals=as_parsed,
    accepted=lambda parsed, _receipt: accepted(len(parsed)),
)
