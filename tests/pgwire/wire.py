"""A client that speaks the protocol byte by byte, to say what no driver would."""

import hashlib
import hmac
import socket
import struct
from base64 import b64decode, b64encode
from types import TracebackType

from tests.pgwire.serving import PASSWORD, USER

TIMEOUT_S = 20


class Wire:
    """A connection that has said nothing yet."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self._waiting = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def say(self, content: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(content)

    def send(self, kind: bytes, content: bytes = b"") -> None:
        """Send a message."""
        self.say(message(kind, content))

    def start(self, **parameters: str) -> None:
        """Send a startup packet."""
        asked = {"user": USER, "database": "recount"} | parameters
        pairs = b"".join(text(name) + text(value) for name, value in asked.items())
        body = struct.pack("!i", 3 << 16) + pairs + b"\0"
        self.say(struct.pack("!i", len(body) + 4) + body)

    def log_in(self, **parameters: str) -> dict[bytes, bytes]:
        """Log in with SCRAM, and wait until a query may come; what the server said on the way by kind."""
        self.start(**parameters)
        self.expect(b"R")
        bare = "n=,r=clientnonce"
        first = f"n,,{bare}".encode()
        self.send(b"p", text("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first)
        server_first = self.expect(b"R")[4:].decode()
        parts = dict(part.split("=", 1) for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b64decode(parts["s"]), int(parts["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={parts['r']}"
        signed = f"{bare},{server_first},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
        self.send(b"p", f"{without_proof},p={proof}".encode())
        return dict(self.until(b"Z"))

    def read(self) -> tuple[bytes, bytes]:
        """The next message; its kind is empty when the server has closed the connection."""
        head = self._take(5)
        if len(head) < 5:
            return b"", b""
        return head[:1], self._take(struct.unpack("!i", head[1:])[0] - 4)

    def until(self, kind: bytes) -> list[tuple[bytes, bytes]]:
        """Every message up to one of a kind, or to the end."""
        found = [self.read()]
        while found[-1][0] not in (kind, b""):
            found.append(self.read())
        return found

    def expect(self, kind: bytes) -> bytes:
        """The content of the next message, which is of a kind."""
        found, content = self.read()
        assert found == kind, (found, content)
        return content

    def expect_error(self, code: str) -> None:
        """The next message is an error with an SQLSTATE."""
        content = self.expect(b"E")
        assert b"C" + text(code) in content, content
        assert b"Traceback" not in content

    def expect_end(self) -> None:
        """The server has closed the connection."""
        assert self.read() == (b"", b"")

    def _take(self, length: int) -> bytes:
        while len(self._waiting) < length:
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                break
            self._waiting += more
        taken, self._waiting = self._waiting[:length], self._waiting[length:]
        return taken


def message(kind: bytes, content: bytes = b"") -> bytes:
    """A message as bytes."""
    return kind + struct.pack("!i", len(content) + 4) + content


def text(value: str) -> bytes:
    """A text that ends with a zero byte."""
    return value.encode() + b"\0"


def parse(sql: str, name: str = "") -> bytes:
    """A Parse message."""
    return message(b"P", text(name) + text(sql) + struct.pack("!h", 0))


def bind(portal: str = "", statement: str = "") -> bytes:
    """A Bind message without parameters."""
    return message(b"B", text(portal) + text(statement) + struct.pack("!hhh", 0, 0, 0))


def execute(portal: str = "", rows_max: int = 0) -> bytes:
    """An Execute message."""
    return message(b"E", text(portal) + struct.pack("!i", rows_max))


SYNC = message(b"S")
SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)
GSS_REQUEST = struct.pack("!ii", 8, 80_877_104)
