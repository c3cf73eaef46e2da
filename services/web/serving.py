"""The HTTP server of the web: uvicorn, stopped so that open event streams do not keep it alive."""

import socket

import uvicorn

# A request that was accepted is answered; one that takes longer than this was a query that people can repeat.
STOP_S_MAX = 10


class WebServer(uvicorn.Server):
    """Serves an application of `services.web.app.make_app`.

    Uvicorn waits for open connections before the application hears that it stops, and an event stream never ends by
    itself. So the tail is closed first.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        config.timeout_graceful_shutdown = config.timeout_graceful_shutdown or STOP_S_MAX

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, answer what was asked, and stop."""
        await self.config.app.state.site.tail.close()  # type: ignore[union-attr]  # make_app made it
        await super().shutdown(sockets)
