"""HTTP ports of a process: bound before anything else, so that a taken one is told by its number."""

import errno
import socket
from collections.abc import Mapping
from contextlib import nullcontext
from itertools import combinations

import msgspec
import uvicorn

from events import RecountError

# Connections that wait to be accepted; a burst of senders beyond it is refused by the kernel.
BACKLOG = 2_048


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """How to reach it from this machine."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def reachable(self) -> str:
        """``HOST:PORT`` from this machine."""
        return self.url.removeprefix("http://")

    @property
    def is_of_this_machine(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# Hosts that take the port on every interface.
_EVERYWHERE = ("", "0.0.0.0", "::")


def refuse_same(doors: Mapping[str, Address]) -> None:
    """Two doors cannot listen on one address; told before anything starts.

    Args:
        doors: where each listens, by its option.

    Raises:
        RecountError: two would; names both options.
    """
    for (option, one), (another, other) in combinations(doors.items(), 2):
        overlap = _host(one) == _host(other) or _host(one) in _EVERYWHERE or _host(other) in _EVERYWHERE
        if one.port == other.port != 0 and overlap:
            raise RecountError(
                f"{option} {one} and {another} {other} are the same address",
                hint=f"Give each a port of its own, such as {option} 127.0.0.1:8080 {another} 127.0.0.1:8081.",
            )


def _host(address: Address) -> str:
    return "127.0.0.1" if address.host == "localhost" else address.host


def parse_address(text: str, option: str) -> Address:
    """``HOST:PORT``, ``:PORT`` or ``PORT``; port 0 means a free one.

    Raises:
        RecountError: names the option and what it takes.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise RecountError(
            f"{option} {text}: not an address", hint=f"Write {option} HOST:PORT, such as 127.0.0.1:8080."
        )
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def bind(address: Address, option: str) -> socket.socket:
    """A socket that listens on an address.

    Raises:
        RecountError: it is taken or not ours; names port and option.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RecountError(
                f"port {address.port} on {address.host} is in use",
                hint=f"Stop what listens there, or choose another with {option} HOST:PORT (port 0 takes a free one).",
            ) from error
        raise RecountError(
            f"cannot listen on {address}: {error.strerror or error}",
            hint=f"Choose another address with {option} HOST:PORT.",
        ) from error


def settled(address: Address, option: str) -> Address:
    """The address with a port that can be bound at this moment: a free one in place of 0.

    Raises:
        RecountError: it cannot.
    """
    with bind(address, option) as listener:
        return Address(address.host, int(listener.getsockname()[1]))


def without_signals(server: uvicorn.Server) -> uvicorn.Server:
    """The same server, which leaves signals to the process: it stops its parts in order."""
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]  # a context manager as well
    return server
