"""Reading INTAKE again, for whoever counts or asks what lies in it, apart from the consumer that translates."""

from collections.abc import AsyncIterator, Sequence

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from events.errors import LogUnavailable
from events.nats_direct_get import BATCH_MAX, DirectGet
from events.nats_intake import consumer_of
from events.nats_streams import INTAKE
from events.recorded import Stored


async def read_intake(client: Client, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
    """The messages of INTAKE after one position through another, in order. What is no longer kept is left out.

    Raises:
        LogUnavailable: no answer.
    """
    direct = DirectGet(client, INTAKE)
    position = after
    while position < through:
        batch = await direct.batch(position + 1, min(BATCH_MAX, through - position))
        if not batch:
            return
        position = batch[-1].seq
        # Where the stream has holes, as many messages reach further.
        if found := [stored for stored in batch if stored.seq <= through]:
            yield found


async def delivered_through(js: JetStreamContext, durable: str) -> int:
    """The position in INTAKE up to which a durable consumer was given messages, dealt with or not.

    Raises:
        LogUnavailable: no answer.
    """
    info = await consumer_of(js, durable)
    return int(info.delivered.stream_seq) if info.delivered else 0


async def received_through(js: JetStreamContext) -> int:
    """The position of the newest message in INTAKE, 0 when it never held one.

    Raises:
        LogUnavailable: no answer.
    """
    try:
        return int((await js.stream_info(INTAKE)).state.last_seq)
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise LogUnavailable(f"INTAKE does not say how far it is: {error!r}") from error
