"""Configuration: ``recount.toml`` and the environment, as one frozen struct.

The file is optional; so is everything in it. It is looked for as ``RECOUNT_CONFIG``, then in the data folder, then in
the current folder. Unknown keys are errors: a misspelt setting must not be silently ignored.
"""

import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from events.alert import AlertSeverity
from events.errors import BadConfiguration
from events.incident import Severity
from services.mail_settings import MailSettings
from services.toml_reader import TomlReader

FILE_NAME = "recount.toml"
EXAMPLE_HINT = "recount.example.toml shows every setting."

# A connection costs some hundred kilobytes.
POSTGRES_CONNECTIONS_MAX = 1_000
POSTGRES_TIMEOUT_S_MAX = 3_600

DEFAULT_SEVERITY: dict[AlertSeverity, Severity] = {
    "critical": "sev1",
    "error": "sev2",
    "warning": "sev3",
    "info": "sev4",
    "unknown": "sev3",
}

_EVERY = re.compile(r"([1-9]\d{0,5}) ?(s|min|h)")


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every table of the file."""


class PersonSettings(_Table, frozen=True, kw_only=True):
    """``[people.<handle>]``: somebody who can be paged."""

    name: str
    zone: str = "UTC"
    """IANA time zone of the person."""
    contacts: tuple[str, ...] = ()
    """``<channel>:<address>`` in the order to try: ``smtp:ada@example.org``, ``console:``, or an Apprise URL."""


class RotationSettings(_Table, frozen=True, kw_only=True):
    """``[rotations.<id>]``: people who take turns."""

    zone: str
    """IANA time zone whose wall clock decides the hand-over."""
    starts_at: datetime
    """When the first member's first shift begins: local time of `zone`, or with an offset."""
    shift_days: int
    members: tuple[str, ...]
    """Handles, in turn."""
    name: str = ""
    """What people see; the id when empty."""


class LevelSettings(_Table, frozen=True, kw_only=True):
    """One level of a policy: whom to ask, and how long they have."""

    targets: tuple[str, ...]
    """``rotation.<id>`` or ``person.<handle>``."""
    answer_within_s: int


class PolicySettings(_Table, frozen=True, kw_only=True):
    """``[policies.<id>]``: whom to page and when to go on to the next level. ``default`` serves every incident."""

    levels: tuple[LevelSettings, ...]
    repeat: int = 0
    """How many more times the whole policy is climbed when nobody answers."""
    name: str = ""


class GroupingSettings(_Table, frozen=True, kw_only=True):
    """``[grouping]``: which alerts make an incident."""

    opens_at: AlertSeverity = "error"
    """Alerts at least this severe open or join an incident; the others are recorded only."""
    severity: dict[AlertSeverity, Severity] = msgspec.field(default_factory=lambda: dict(DEFAULT_SEVERITY))
    """Severity of an incident that an alert opens; keys left out keep their default."""


class PagingSettings(_Table, frozen=True, kw_only=True):
    """``[paging]``: which incidents wake somebody."""

    severity: Severity = "sev3"
    """Incidents at least this severe are paged for; the others wait for daylight."""


class ChannelsSettings(_Table, frozen=True, kw_only=True):
    """``[channels]``: which channels may be used besides those whose hosts are fixed."""

    allow: tuple[str, ...] = ()
    """Schemes whose contacts name a host of their own, such as ``ntfy`` or ``gotify``. Whoever may write a contact
    makes Recount call that host, so each must be allowed by name."""


class SmtpSettings(_Table, frozen=True, kw_only=True, rename={"sender": "from"}):
    """``[smtp]``: the mail server for contacts ``smtp:…``."""

    host: str = "127.0.0.1"
    port: int = 25
    sender: str = "recount@localhost"
    """The address that mails come from; ``from`` in the file."""
    user: str = ""
    password: str = ""
    """Better given as RECOUNT_SMTP_PASSWORD."""
    security: Literal["none", "starttls", "tls"] = "none"


class LogSettings(_Table, frozen=True, kw_only=True):
    """``[log]``: how the streams are declared when they do not exist yet."""

    replicas: int = 1
    """Copies of each stream; 3 on a cluster."""
    bytes_max: int = -1
    """Size at which a stream refuses new messages, in bytes; -1 leaves it to the disk."""


class PostgresSettings(_Table, frozen=True, kw_only=True):
    """``[postgres]``: SQL for psql, drivers and BI tools."""

    enabled: bool = True
    """Whether the port is opened at all."""
    tls_certificate: str = ""
    """PEM file of the certificate chain; empty: one that is made at the first start and vouches for itself."""
    tls_key: str = ""
    """PEM file of its key."""
    max_connections: int = 50
    """How many users may be connected at once."""
    statement_timeout_s: float = 60
    """How long a statement may take, in seconds; a session may set less."""


class SnapshotSettings(_Table, frozen=True, kw_only=True):
    """``[snapshot]``: the file beside the warehouse that any DuckDB tool can open."""

    every: str = "5 min"
    """How often it is written when something was applied since: ``30 s``, ``5 min``, ``1 h``, or ``off``."""
    names: bool = False
    """Whether it holds handles and names of people. A copy that somebody made keeps them after an erasure."""

    @property
    def every_s(self) -> float | None:
        """The same in seconds; None when it is only written when asked for."""
        found = _EVERY.fullmatch(self.every)
        return int(found[1]) * {"s": 1, "min": 60, "h": 3_600}[found[2]] if found else None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be configured."""

    public_url: str = ""
    """Where people reach the web from outside; links in messages start with it. Empty: the address it listens on."""
    people: dict[str, PersonSettings] = {}
    rotations: dict[str, RotationSettings] = {}
    policies: dict[str, PolicySettings] = {}
    grouping: GroupingSettings = GroupingSettings()
    paging: PagingSettings = PagingSettings()
    channels: ChannelsSettings = ChannelsSettings()
    smtp: SmtpSettings | None = None
    """None: contacts ``smtp:…`` fail with a reason."""
    mail: MailSettings = MailSettings()
    log: LogSettings = LogSettings()
    snapshot: SnapshotSettings = SnapshotSettings()
    postgres: PostgresSettings = PostgresSettings()
    nats_url: str = ""
    """An existing server or cluster, from RECOUNT_NATS_URL; empty: the embedded server."""
    file: str = ""
    """Which file this was read from; empty when there is none."""


def find_file(data: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file that counts, None when there is none.

    Raises:
        BadConfiguration: RECOUNT_CONFIG names a file that does not exist.
    """
    if named := environment.get("RECOUNT_CONFIG"):
        path = Path(named)
        if not path.is_file():
            raise BadConfiguration(f"RECOUNT_CONFIG names {path}, which is not a file", hint=EXAMPLE_HINT)
        return path
    return next((path for path in (data / FILE_NAME, Path(FILE_NAME)) if path.is_file()), None)


def load_settings(data: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the configuration.

    Raises:
        BadConfiguration: names the file, the key, what is there and what is expected.
    """
    path = find_file(data, environment)
    settings = parse_settings(_text_of(path), str(path)) if path else Settings()
    smtp, password = settings.smtp, environment.get("RECOUNT_SMTP_PASSWORD")
    if smtp and password:
        smtp = msgspec.structs.replace(smtp, password=password)
    return msgspec.structs.replace(
        settings,
        smtp=smtp,
        public_url=environment.get("RECOUNT_PUBLIC_URL", settings.public_url).rstrip("/"),
        nats_url=environment.get("RECOUNT_NATS_URL", ""),
    )


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadConfiguration(
            f"{path} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}",
            hint="Save the file as UTF-8, as TOML requires.",
        ) from error
    except OSError as error:
        raise BadConfiguration(
            f"{path} cannot be read: {error.strerror or error}", hint="Give this user the right to read it."
        ) from error


def parse_settings(text: str, file: str) -> Settings:
    """Check the text of a configuration file; ``file`` is its name in messages.

    Raises:
        BadConfiguration: names the file, the key, what is there and what is expected.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{file} is not TOML: {error}", hint=EXAMPLE_HINT) from error
    reader = TomlReader(file, hint=EXAMPLE_HINT)
    reader.refuse_unknown(
        document,
        tuple(name for name in Settings.__struct_fields__ if name not in ("nats_url", "file")),
        where="",
    )
    settings = Settings(
        public_url=reader.convert(document.get("public_url", ""), str, "public_url"),
        people=reader.tables(document, "people", PersonSettings),
        rotations=reader.tables(document, "rotations", RotationSettings),
        policies=reader.tables(document, "policies", PolicySettings),
        grouping=reader.table(document, "grouping", GroupingSettings) or GroupingSettings(),
        paging=reader.table(document, "paging", PagingSettings) or PagingSettings(),
        channels=reader.table(document, "channels", ChannelsSettings) or ChannelsSettings(),
        smtp=reader.table(document, "smtp", SmtpSettings),
        mail=reader.table(document, "mail", MailSettings) or MailSettings(),
        log=reader.table(document, "log", LogSettings) or LogSettings(),
        snapshot=reader.table(document, "snapshot", SnapshotSettings) or SnapshotSettings(),
        postgres=reader.table(document, "postgres", PostgresSettings) or PostgresSettings(),
        file=file,
    )
    _check(settings, reader)
    grouping = settings.grouping
    return msgspec.structs.replace(
        settings,
        grouping=msgspec.structs.replace(grouping, severity=DEFAULT_SEVERITY | grouping.severity),
    )


def _check(settings: Settings, reader: TomlReader) -> None:
    """What the types cannot say: names that refer to others, zones, numbers in range."""
    for check in _CHECKS:
        for key, problem in check(settings):
            raise reader.wrong(key, problem)


Problems = Iterator[tuple[str, str]]

# Control characters, and Unicode's own line and paragraph separators.
_BREAKING = ("Cc", "Zl", "Zp")


def _people_problems(settings: Settings) -> Problems:
    for handle, person in settings.people.items():
        yield from _zone_problems(f"people.{handle}.zone", person.zone)
        for number, contact in enumerate(person.contacts):
            if ":" not in contact:
                yield (
                    f"people.{handle}.contacts[{number}]",
                    f"expected <channel>:<address> such as smtp:ada@example.org, got {contact!r}",
                )
            # An address goes into the header of a mail or a request, where a line break begins another one.
            if any(unicodedata.category(character) in _BREAKING for character in contact):
                yield f"people.{handle}.contacts[{number}]", f"expected no control characters, got {contact!r}"


def _rotation_problems(settings: Settings) -> Problems:
    for name, rotation in settings.rotations.items():
        yield from _zone_problems(f"rotations.{name}.zone", rotation.zone)
        if rotation.shift_days < 1:
            yield f"rotations.{name}.shift_days", f"expected at least 1, got {rotation.shift_days}"
        if not rotation.members:
            yield f"rotations.{name}.members", "expected at least one handle"
        for number, handle in enumerate(rotation.members):
            if handle not in settings.people:
                yield f"rotations.{name}.members[{number}]", _nobody(handle, settings)


def _policy_problems(settings: Settings) -> Problems:
    for name, policy in settings.policies.items():
        if not policy.levels:
            yield f"policies.{name}.levels", "expected at least one level"
        if policy.repeat < 0:
            yield f"policies.{name}.repeat", f"expected 0 or more, got {policy.repeat}"
        for number, level in enumerate(policy.levels):
            where = f"policies.{name}.levels[{number}]"
            if level.answer_within_s < 1:
                yield f"{where}.answer_within_s", f"expected at least 1 second, got {level.answer_within_s}"
            if not level.targets:
                yield f"{where}.targets", "expected at least one target"
            for target in level.targets:
                yield from ((f"{where}.targets", problem) for problem in _target_problems(target, settings))


def _target_problems(target: str, settings: Settings) -> Iterator[str]:
    kind, _, name = target.partition(".")
    match kind:
        case "rotation" if name not in settings.rotations:
            yield f"there is no rotation {name!r}; expected one of {_listed(settings.rotations)}"
        case "person" if name not in settings.people:
            yield _nobody(name, settings)
        case "rotation" | "person":
            pass
        case _:
            yield f"expected rotation.<id> or person.<handle>, got {target!r}"


def _log_problems(settings: Settings) -> Problems:
    if settings.log.replicas not in (1, 3, 5):
        yield "log.replicas", f"expected 1, 3 or 5, got {settings.log.replicas}"
    if settings.log.bytes_max != -1 and settings.log.bytes_max < 1:
        yield "log.bytes_max", f"expected a number of bytes above 0, or -1 for no limit, got {settings.log.bytes_max}"


def _mail_problems(settings: Settings) -> Problems:
    mail = settings.mail
    if bool(mail.tls_certificate) != bool(mail.tls_key):
        yield "mail.tls_key", "expected beside mail.tls_certificate, and only there"
    if mail.require_tls and not mail.tls_certificate:
        yield "mail.require_tls", "expected only with mail.tls_certificate, because without one nothing could be sent"


def _postgres_problems(settings: Settings) -> Problems:
    postgres = settings.postgres
    connections, timeout_s = postgres.max_connections, postgres.statement_timeout_s
    if bool(postgres.tls_certificate) != bool(postgres.tls_key):
        yield "postgres.tls_key", "expected beside postgres.tls_certificate, and only there"
    if not 1 <= connections <= POSTGRES_CONNECTIONS_MAX:
        yield "postgres.max_connections", f"expected 1 to {POSTGRES_CONNECTIONS_MAX}, got {connections}"
    if not 0 < timeout_s <= POSTGRES_TIMEOUT_S_MAX:
        yield "postgres.statement_timeout_s", f"expected up to {POSTGRES_TIMEOUT_S_MAX} seconds, got {timeout_s:g}"


def _snapshot_problems(settings: Settings) -> Problems:
    if settings.snapshot.every != "off" and settings.snapshot.every_s is None:
        yield (
            "snapshot.every",
            f"expected a time such as '30 s', '5 min' or '1 h', or 'off', got {settings.snapshot.every!r}",
        )


def _zone_problems(key: str, zone: str) -> Problems:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError on some versions, an OSError for a folder
        yield key, f"expected an IANA time zone such as Europe/London, got {zone!r}"
    except KeyError:
        yield key, f"expected an IANA time zone such as Europe/London, got {zone!r}"


def _nobody(handle: str, settings: Settings) -> str:
    return f"there is no person {handle!r}; expected one of {_listed(settings.people)}"


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none yet"


_CHECKS: tuple[Callable[[Settings], Problems], ...] = (
    _people_problems,
    _rotation_problems,
    _policy_problems,
    _log_problems,
    _snapshot_problems,
    _mail_problems,
    _postgres_problems,
)
