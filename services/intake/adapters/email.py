"""E-mail: an alert per subject, for what can send nothing but mail. The mail itself is the payload (RFC 5322).

It comes by SMTP to ``<key>@…`` (`services.intake.mail_door`), or as ``message/rfc822`` to ``/hooks/email/<key>``.

* **State**: the header ``X-Recount-State``, else a word before the subject: ``[RESOLVED] disk full``,
  ``OK: "checkout-5xx" in EU``, ``** RECOVERY Service Alert: web/HTTP is OK **`` (Nagios). A reply whose first line is
  ``resolved`` or ``ack`` says that; another reply is a note. Any other mail fires.
* **Key**: ``X-Recount-Key``, else the subject without reply marks, words of state and what follows ``is`` in Nagios's.
* **Severity**: ``X-Recount-Severity``, else a word of the subject (``CRITICAL``, ``[warning]``); ``error`` when there
  is none, because mails to an alarm's address are meant to be one. ``X-Recount-Service`` names the service.

An automatic answer (``Auto-Submitted: auto-replied``, a delivery report) says nothing. The sender's address stays in
the mail; the alert has its domain only, because addresses are of people.
"""

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.adapters.json import STATES
from services.intake.payload import accepted, as_parsed, identity, said
from services.intake.signal import NAME_LENGTH_MAX, VALUE_LENGTH_MAX, Signal, State, lenient_moment, severity_of

# Characters of a subject; longer ones are folded over many lines and still a title of at most 1,024.
SUBJECT_LENGTH_MAX = 2_000

_STATES: dict[str, State] = {
    **STATES,
    "problem": "firing",
    "alert": "firing",
    "alarm": "firing",
    "down": "firing",
    "critical": "firing",
    "warning": "firing",
    "recovery": "resolved",
    "recovered": "resolved",
    "up": "resolved",
    "ack": "acknowledged",
    "acknowledgement": "acknowledged",
    "acknowledgment": "acknowledged",
}
_REPLY = re.compile(r"\s*(?:re|aw|fwd?|wg|sv|vs|antw)\s*(?:\[\d+\])?:\s*", re.IGNORECASE)
# ``[WORD]`` or ``[WORD:2]`` anywhere, ``** WORD`` or ``WORD:`` at the beginning.
_BRACKETED = re.compile(r"\s*\[\s*([a-z]+)(?:\s*:\s*\d+)?\s*\]\s*", re.IGNORECASE)
_LEADING = re.compile(r"\s*(?:\*\*\s*([a-z]+)|([a-z]+):)\s*", re.IGNORECASE)
# What Nagios and its kin end a subject with.
_ENDED = re.compile(r"\s+is\s+(critical|warning|unknown|ok|up|down|unreachable)\s*(?:\*\*)?\s*$", re.IGNORECASE)


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail, read."""

    subject: str
    """Without reply marks and words of state."""
    state: State
    word: str
    """The subject's word for severity or state; empty when it has none."""
    is_reply: bool
    is_automatic: bool
    text: str
    sent_at: datetime | None
    headers: dict[str, str]
    """Those that we use, by their name in lower case."""


def parse(receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.parse`."""
    try:
        message: Any = message_from_bytes(receipt.body, policy=policy.default)
        return _signals(_read(message))
    except (MessageError, ValueError, LookupError, RecursionError, AttributeError, IndexError, TypeError) as error:
        # The standard library's parser stumbles over some malformed headers in its own ways.
        raise InvalidPayload(f"not a mail: {type(error).__name__}: {error}") from error


def _read(message: EmailMessage) -> Mail:
    wanted = ("x-recount-state", "x-recount-key", "x-recount-severity", "x-recount-service", "message-id", "from")
    headers = {name: _header(message, name) for name in wanted}
    text = _text(message)
    if not any(headers.values()) and not _header(message, "subject") and not text:
        raise InvalidPayload("the mail has neither headers nor text")
    subject = _header(message, "subject")[:SUBJECT_LENGTH_MAX]
    unmarked = subject
    while found := _REPLY.match(unmarked):
        unmarked = unmarked[found.end() :]
    is_reply = unmarked != subject or bool(_header(message, "in-reply-to"))
    rest, word = _without_state(unmarked)
    told = headers["x-recount-state"] or (_first_word(text) if is_reply else "") or word
    state = _STATES.get(told.lower())
    if headers["x-recount-state"] and state is None:
        raise InvalidPayload(f"X-Recount-State {told[:40]!r} is not firing, acknowledged or resolved")
    return Mail(
        subject=rest,
        state=state or ("noted" if is_reply else "firing"),
        word=word,
        is_reply=is_reply,
        is_automatic=_header(message, "auto-submitted").lower().startswith("auto-replied")
        or message.get_content_type() == "multipart/report",
        text=text,
        sent_at=_date(_header(message, "date")),
        headers=headers,
    )


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _without_state(subject: str) -> tuple[str, str]:
    """The subject without its words of state, and the last one of them."""
    words = [found[1] for found in _BRACKETED.finditer(subject) if found[1].lower() in _STATES]
    rest = _BRACKETED.sub(lambda found: " " if found[1].lower() in _STATES else found[0], subject).strip()
    while (found := _LEADING.match(rest)) and (found[1] or found[2]).lower() in _STATES:
        words.append(found[1] or found[2])
        rest = rest[found.end() :]
    word = words[-1] if words else ""
    if ended := _ENDED.search(rest):
        word = word if word.lower() in ("acknowledgement", "acknowledgment") else ended[1]
        rest = rest[: ended.start()]
    rest = rest.strip().removesuffix("**").strip()
    return rest or subject.strip(), word


def _first_word(text: str) -> str:
    """The first line of a reply, where it is one word of state and no more."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    word = line.strip(".! ").lower()
    return word if word in _STATES else ""


def _text(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    if part.get_content_subtype() == "html":
        plain = _Plain()
        plain.feed(content)
        content = "\n".join(line for line in ("".join(plain.pieces)).splitlines() if line.strip())
    return "\n".join(content.strip().splitlines())[:VALUE_LENGTH_MAX]


class _Plain(HTMLParser):
    """The text of an HTML mail."""

    _NOT_TEXT = ("style", "script", "head", "title")

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._NOT_TEXT
        if tag in ("p", "br", "div", "tr", "li"):
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._NOT_TEXT and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _date(text: str) -> datetime | None:
    try:
        return lenient_moment(parsedate_to_datetime(text).isoformat()) if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _signals(mail: Mail) -> tuple[Signal, ...]:
    if mail.is_automatic:
        return ()
    title = mail.subject or "a mail without a subject"
    # Only the domain: an address is of a person.
    domain = mail.headers["from"].rpartition("@")[2].strip("<> ")
    is_over = mail.state == "resolved"
    return (
        Signal(
            state=mail.state,
            fingerprint=identity(mail.headers["x-recount-key"] or " ".join(title.lower().split())),
            title=title,
            severity=_severity(mail),
            service=mail.headers["x-recount-service"][:NAME_LENGTH_MAX],
            labels=said({"from_domain": domain}),
            annotations=said({"text": mail.text, "message_id": mail.headers["message-id"]}),
            ended_at=mail.sent_at if is_over else None,
            observed_at=mail.sent_at,
            note=_unquoted(mail.text) if mail.is_reply else "",
        ),
    )


def _severity(mail: Mail) -> AlertSeverity:
    said_outright = mail.headers["x-recount-severity"]
    if said_outright:
        return severity_of(said_outright)
    by_word = severity_of(mail.word)
    return by_word if by_word != "unknown" else "error"


def _unquoted(text: str) -> str:
    """A reply without what it answers to."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith((">", "-----Original", "________")) or re.fullmatch(r"On .+ wrote:", line.strip()):
            break
        lines.append(line)
    return "\n".join(lines).strip()


ADAPTER = Adapter(
    name="email",
    parse=parse,
    signals=as_parsed,
    accepted=lambda parsed, _receipt: accepted(len(parsed)),
)
