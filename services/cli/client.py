"""Finding the running platform and speaking HTTP with it.

Every verb but `up`, `run`, `init` and `doctor` goes through here: the readers process is the only opener of the
DuckDB file.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from events import RecountError
from services.running import read_running
from services.secrets import load_secrets

# A rebuild or a slow query reports progress or is cut by the server; silence for this long means that it is gone.
ANSWER_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0


class Unavailable(RecountError):
    """The platform, or the part of it that was asked, does not answer now; the same may be asked again."""


class Api:
    """The platform's HTTP API, with a token. Answers other than 2xx become a `RecountError` with the server's hint."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    @property
    def url(self) -> str:
        """Where the platform is."""
        return str(self._http.base_url).rstrip("/")

    def get(self, path: str, **params: Any) -> Any:
        """The decoded JSON of an answer. Parameters that are None are left out."""
        return self._json(self.ask("GET", path, params=params))

    def text(self, path: str, **params: Any) -> str:
        """The text of an answer, such as a postmortem."""
        return self.ask("GET", path, params=params).text

    def post(self, path: str, json: Any = None, *, headers: Mapping[str, str] | None = None, **params: Any) -> Any:
        """Send JSON and decode the answer. ``headers`` takes ``Idempotency-Key`` and ``Recount-Actor``."""
        return self._json(self.ask("POST", path, json=json, headers=headers, params=params))

    def delete(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> Any:
        """Delete, and decode the answer."""
        return self._json(self.ask("DELETE", path, headers=headers, params=params))

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """One request and its successful answer.

        Raises:
            RecountError: the platform is gone, or refuses; with its own explanation and hint.
        """
        with self._explained():
            response = self._http.request(
                method, path, json=json, headers=_with(headers), params=_without_none(params or {})
            )
        _raise_for(response)
        return response

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        endless: bool = False,
        **params: Any,
    ) -> Iterator[Iterator[str]]:
        """The lines of an answer as they arrive: NDJSON, or server-sent events; ``endless`` ones may be silent."""
        timeout = httpx.Timeout(None if endless else ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        with (
            self._explained(),
            self._http.stream(
                method, path, json=json, headers=_with(headers), params=_without_none(params), timeout=timeout
            ) as response,
        ):
            if response.is_error:
                response.read()
            _raise_for(response)
            yield response.iter_lines()

    def download(self, method: str, path: str, *, to: Path | None, json: Any = None) -> Mapping[str, str]:
        """Write the body of an answer into a file as it arrives, or to standard output.

        A file is there whole or not at all: it is written beside and then takes its name.

        Returns:
            The headers of the answer.

        Raises:
            RecountError: the platform is gone or refuses, or the file cannot be written.
        """
        with self._explained(), self._http.stream(method, path, json=json) as response:
            if response.is_error:
                response.read()
            _raise_for(response)
            if to is None:
                sys.stdout.flush()
                for portion in response.iter_bytes():
                    sys.stdout.buffer.write(portion)
                sys.stdout.buffer.flush()
            else:
                _write_whole(to, response.iter_bytes())
            return response.headers

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unavailable(
                f"{self.url} did not answer in time", hint="`recount doctor` looks for the cause."
            ) from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self.url} cannot be reached: {error}", hint="Is it running? `recount doctor` looks for the cause."
            ) from error

    @staticmethod
    def _json(response: httpx.Response) -> Any:
        return msgspec.json.decode(response.content) if response.content else None


@contextmanager
def connect(
    data: Path, url: str = "", *, actor: str = "", environment: Mapping[str, str] = os.environ
) -> Iterator[Api]:
    """The running platform: the one of RECOUNT_URL and RECOUNT_TOKEN, or else the one of the data folder.

    Args:
        data: the data folder to look into when neither ``url`` nor the environment names a platform.
        url: overrides both; the token then comes from RECOUNT_TOKEN or the data folder's secrets.
        actor: handle or person id in whose name an admin token acts.

    Raises:
        RecountError: nothing runs in the data folder, or there is no token for it.
    """
    base, token = _found(data, url, environment)
    headers = {"Authorization": f"Bearer {token}"} | ({"Recount-Actor": actor} if actor else {})
    with httpx.Client(
        base_url=base, headers=headers, timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    ) as http:
        yield Api(http)


def _found(data: Path, url: str, environment: Mapping[str, str]) -> tuple[str, str]:
    token = environment.get("RECOUNT_TOKEN", "")
    base = url or environment.get("RECOUNT_URL", "")
    if base and token:
        return base, token
    if environment.get("RECOUNT_URL") and not (data / "secrets.json").exists():
        raise RecountError("RECOUNT_URL is set but RECOUNT_TOKEN is not", hint="`recount up --json` prints the token.")
    if not base:
        running = read_running(data)
        if running is None:
            raise RecountError(f"nothing is running in {shown(data)}", hint="recount up")
        base = running.url
    return base, token or load_secrets(data).admin_token.secret


def _write_whole(path: Path, portions: Iterator[bytes]) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            for portion in portions:
                file.write(portion)
        beside.replace(path)
    except OSError as error:
        raise RecountError(f"{path} cannot be written: {error.strerror}", hint="Name another --output.") from error
    finally:
        beside.unlink(missing_ok=True)


def shown(data: Path) -> str:
    """A data folder as people write it: ``./data``."""
    return str(data) if data.is_absolute() else f"./{data}"


def _with(headers: Mapping[str, str] | None) -> dict[str, str]:
    return dict(headers or {})


def _without_none(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _raise_for(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        answer = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        answer = {}
    sentence = ": ".join(str(answer[part]) for part in ("error", "because") if answer.get(part))
    kind = Unavailable if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else RecountError
    raise kind(
        sentence or f"{response.request.method} {response.request.url.path} was answered {response.status_code}",
        hint=str(answer.get("instead") or answer.get("hint") or ""),
    )
