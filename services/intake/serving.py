"""The HTTP server of the intake port."""

import logging
from typing import Any

import uvicorn

# Seconds. Alertmanager and most Go clients keep an idle connection for 90; closing earlier costs them a new one, and
# closing while they write costs them a retry.
KEEP_ALIVE_S = 95
# Seconds. What was accepted is answered within `STORE_TIMEOUT_S`; nothing is worth waiting for longer.
SHUTDOWN_S = 10
# Bytes of one request's head, with the pure Python parser; the door refuses politely well before that.
HEAD_BYTES_MAX = 64 * 1024


def make_server(app: Any, host: str, port: int) -> uvicorn.Server:
    """A server for `wiring.make_app`; ``await server.serve()`` runs it in the caller's loop."""
    # A line of it holds the address, and an address here holds a key.
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            lifespan="on",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # nothing here depends on where a request came from
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        )
    )
