"""Mappings: how a payload of any shape is read as alerts. Data of an integration key: a new sender needs no code.

A mapping is TOML or JSON::

    list = "$.alerts[*]"                  # one alert for each; without it the payload is one alert
    title = "{{@.name}} on {{@.host}}"
    key = "@.id"
    state = "@.status"
    severity = "@.level"
    service = "$.team.service"
    url = "@.link"
    started_at = "@.since"
    [labels]
    region = "@.region"
    environment = "production"
    [states]                              # the sender's word -> firing, acknowledged or resolved
    DOWN = "firing"
    UP = "resolved"
    [severities]                          # the sender's word -> critical, error, warning or info
    P1 = "critical"

A value that begins with ``$`` is a JSONPath (RFC 9535) into the payload, one that begins with ``@`` into the entry of
``list``; ``{{path}}`` stands for what a path finds inside other text; anything else is what it says. The functions
``match`` and ``search`` are left out, because a regular expression over foreign text can take for ever.

``title``, ``key`` and ``state`` must be found in every payload where the mapping has them; without ``key`` the title is
the key, without ``state`` an alert fires. Times are ISO 8601 or seconds or milliseconds since 1970.
"""

import re
import tomllib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonpath
import msgspec

from events.alert import AlertSeverity
from events.errors import RecountError
from services.intake.adapters.json import STATES
from services.intake.payload import epoch_moment
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, State, lenient_moment, severity_of, words

# Characters of a mapping. It is part of a fact of at most 60 KiB, and nobody reads more.
MAPPING_LENGTH_MAX = 16_000
# As many as plain JSON takes (`adapters.json`); more belong into several requests.
ALERTS_PER_PAYLOAD_MAX = 1_000
# Characters of one path or template: longer than any that is still understood.
EXPRESSION_LENGTH_MAX = 1_000
# Mappings are few, and the same one reads every payload of its key.
_KEPT = 256

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}")
"""``{{path}}`` inside a text."""


class InvalidMapping(RecountError):
    """The text is no mapping. The message says what is wrong where."""


class MissingValue(Exception):
    """A payload has nothing where the mapping expects something."""


class MappingDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping as it is written."""

    list: str = ""
    title: str
    key: str = ""
    state: str = ""
    severity: str = ""
    service: str = ""
    url: str = ""
    description: str = ""
    started_at: str = ""
    """Only a time that stays the same while the alert fires."""
    ended_at: str = ""
    observed_at: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    states: dict[str, State] = {}
    severities: dict[str, AlertSeverity] = {}


Expression = Callable[[Any, Any], Any]
"""What a value of a mapping says of a payload and an entry of it; None when it finds nothing."""


class Mapping:
    """A checked mapping.

    Args:
        document: as it is written.

    Raises:
        InvalidMapping: one of its values is no path or template.
    """

    def __init__(self, document: MappingDocument) -> None:
        self._document = document
        self._list = _path(document.list, "list") if document.list else None
        self._texts = {
            name: _expression(getattr(document, name), name)
            for name in (
                *("title", "key", "state", "severity", "service", "url", "description"),
                *("started_at", "ended_at", "observed_at"),
            )
        }
        self._labels = {name: _expression(text, f"labels.{name}") for name, text in document.labels.items()}
        self._annotations = {
            name: _expression(text, f"annotations.{name}") for name, text in document.annotations.items()
        }
        self._states: dict[str, State] = {
            **STATES,
            **{word.strip().lower(): state for word, state in document.states.items()},
        }
        self._severities = {word.strip().lower(): severity for word, severity in document.severities.items()}

    def signals(self, payload: Any) -> tuple[Signal, ...]:
        """What a payload says.

        Raises:
            MissingValue: it has not what the mapping needs; one sentence a fault, a line each.
        """
        entries = [payload] if self._list is None else self._entries(payload)
        signals: list[Signal] = []
        faults: list[str] = []
        for number, entry in enumerate(entries, start=1):
            name = f"alert {number}: " if self._list is not None else ""
            try:
                signals.append(self._signal(payload, entry))
            except MissingValue as fault:
                faults.append(f"{name}{fault}")
        if faults:
            raise MissingValue("\n".join(faults))
        return tuple(signals)

    def _entries(self, payload: Any) -> list[Any]:
        assert self._list is not None, "only asked with a list"
        found = _found(self._list, payload, payload, ALERTS_PER_PAYLOAD_MAX + 1)
        # A path to the list itself is as clear as one to its entries.
        if len(found) == 1 and isinstance(found[0], list):
            found = found[0][: ALERTS_PER_PAYLOAD_MAX + 1]
        if len(found) > ALERTS_PER_PAYLOAD_MAX:
            raise MissingValue(f"more than {ALERTS_PER_PAYLOAD_MAX} alerts in one payload")
        return found

    def _signal(self, payload: Any, entry: Any) -> Signal:
        def text(name: str) -> str:
            return words(self._texts[name](payload, entry)).strip()

        title, state = self._required("title", text), self._state(text)
        key = self._required("key", text) if self._document.key else title
        if len(key) > FINGERPRINT_LENGTH_MAX:
            raise MissingValue(f"key has more than {FINGERPRINT_LENGTH_MAX} characters")
        word = text("severity")
        severity = self._severities.get(word.lower()) or severity_of(word)
        labels = _said(self._labels, payload, entry)
        if word and severity == "unknown":
            labels.setdefault("severity", word)
        annotations = _said(self._annotations, payload, entry)
        if description := text("description"):
            annotations["description"] = description
        return Signal(
            state=state,
            fingerprint=key,
            title=title,
            severity=severity,
            service=text("service"),
            labels=labels,
            annotations=annotations,
            url=text("url"),
            started_at=self._time("started_at", text),
            ended_at=self._time("ended_at", text) if state == "resolved" else None,
            observed_at=self._time("observed_at", text),
        )

    def _required(self, name: str, text: Callable[[str], str]) -> str:
        found = text(name)
        if not found:
            raise MissingValue(f"{name}: {getattr(self._document, name)} finds nothing")
        return found

    def _state(self, text: Callable[[str], str]) -> State:
        if not self._document.state:
            return "firing"
        word = self._required("state", text)
        state = self._states.get(word.lower())
        if state is None:
            raise MissingValue(
                f"state: {word[:40]!r} is not firing, acknowledged or resolved; say what it means under [states]"
            )
        return state

    def _time(self, name: str, text: Callable[[str], str]) -> datetime | None:
        found = text(name)
        if not found:
            return None
        moment = epoch_moment(found) or lenient_moment(found)
        if moment is None:
            raise MissingValue(f"{name}: {found[:40]!r} is no time")
        return moment


@lru_cache(maxsize=_KEPT)
def read_mapping(text: str) -> Mapping:
    """A mapping from its TOML or JSON text.

    Raises:
        InvalidMapping: what is wrong, and where.
    """
    if not text.strip():
        raise InvalidMapping("there is no mapping", hint="Give the key one: recount keys update KEY --mapping FILE")
    if len(text) > MAPPING_LENGTH_MAX:
        raise InvalidMapping(f"a mapping has at most {MAPPING_LENGTH_MAX} characters; this one has {len(text)}")
    try:
        if text.lstrip().startswith("{"):
            document = msgspec.json.decode(text, type=MappingDocument)
        else:
            document = msgspec.convert(tomllib.loads(text), MappingDocument)
    except (msgspec.MsgspecError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidMapping(f"not a mapping: {error}", hint=f"It may have: {', '.join(FIELDS)}.") from error
    return Mapping(document)


FIELDS = tuple(field.name for field in msgspec.structs.fields(MappingDocument))
"""What a mapping may have."""


def _environment() -> jsonpath.JSONPathEnvironment:
    environment = jsonpath.JSONPathEnvironment(strict=True)
    for name in ("match", "search"):
        environment.function_extensions.pop(name, None)
    return environment


_ENVIRONMENT = _environment()


def _expression(text: str, name: str) -> Expression:
    if len(text) > EXPRESSION_LENGTH_MAX:
        raise InvalidMapping(f"{name} has {len(text)} characters; at most {EXPRESSION_LENGTH_MAX}")
    if text.startswith(("$", "@")):
        path = _path(text, name)
        return lambda payload, entry: next(iter(_found(path, payload, entry, 1)), None)
    if "{{" not in text:
        return lambda _payload, _entry: text
    parts = _TEMPLATE.split(text)
    # Split by a pattern with one group: text, path, text, path, …
    paths = [_path(_whole(part), name) if number % 2 else part for number, part in enumerate(parts)]

    def fill(payload: Any, entry: Any) -> str:
        filled = (
            part if isinstance(part, str) else words(next(iter(_found(part, payload, entry, 1)), None))
            for part in paths
        )
        return "".join(filled)

    return fill


def _whole(path: str) -> str:
    """A path in a template may leave out where it begins: ``{{host.name}}`` is ``{{@.host.name}}``."""
    path = path.strip()
    return path if path.startswith(("$", "@")) or not path else f"@.{path}"


class _Path(msgspec.Struct, frozen=True):
    """A compiled path, and whether it begins at the entry."""

    compiled: Any
    of_entry: bool


def _path(text: str, name: str) -> _Path:
    if not text.startswith(("$", "@")):
        raise InvalidMapping(
            f"{name}: {text!r} is no path; it begins with $ (the payload) or @ (the entry of the list)"
        )
    try:
        return _Path(_ENVIRONMENT.compile(f"${text[1:]}"), text.startswith("@"))
    except jsonpath.JSONPathError as error:
        because = str(error).splitlines()[0]
        raise InvalidMapping(f"{name}: {text!r} is no JSONPath: {because}") from error


def _found(path: _Path, payload: Any, entry: Any, most: int) -> list[Any]:
    root = entry if path.of_entry else payload
    if not isinstance(root, dict | list):
        # A path has only structures to walk; of anything else only the whole can be meant.
        return [root] if str(path.compiled) == "$" else []
    try:
        return [match.obj for match in islice(path.compiled.finditer(root), most)]
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise MissingValue(f"{path.compiled} cannot be followed: {str(error).splitlines()[0]}") from error


def _said(expressions: dict[str, Expression], payload: Any, entry: Any) -> dict[str, str]:
    found = {name: words(expression(payload, entry)).strip() for name, expression in expressions.items()}
    return {name: text for name, text in found.items() if text}
