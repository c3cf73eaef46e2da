"""The JetStream streams and consumers of Recount, declared here and nowhere else.

Everything else refers to them by name: a client library that re-declares a stream changes it (FastStream's default
would discard old messages).
"""

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from events import subjects

EVENTS = "EVENTS"
INTAKE = "INTAKE"
TIMERS = "TIMERS"

INTAKE_SUBJECT_ROOT = "intake"
TIMER_SET_ROOT = "tmr.set"
TIMER_DUE_ROOT = "tmr.due"

# Payloads as received are evidence and the replay buffer for a repaired adapter; a month covers a holiday and a review.
INTAKE_AGE_MAX_S = 30 * 24 * 3600
# JetStream forgets message ids after this long. It only spares work: correctness rests on version checks and on
# folding the causation ids that were answered.
DUPLICATE_WINDOW_S = 120
# A fired timer is sourced into EVENTS at once; TIMERS keeps it for a day, so that a lagging source loses nothing.
TIMER_FIRED_AGE_S = 24 * 3600


def events_config(*, replicas: int = 1, max_bytes: int = -1) -> api.StreamConfig:
    """EVENTS: the system of record. It refuses when full, and neither deletes nor purges."""
    return api.StreamConfig(
        name=EVENTS,
        description="Every fact of Recount, for ever",
        subjects=[subjects.ALL],
        storage=api.StorageType.FILE,
        retention=api.RetentionPolicy.LIMITS,
        discard=api.DiscardPolicy.NEW,  # a full log must refuse, never forget
        max_bytes=max_bytes,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,  # one decision may be several facts: all or none
        allow_direct=True,
        compression=api.StoreCompression.S2,
        duplicate_window=DUPLICATE_WINDOW_S,
        num_replicas=replicas,
        # A timer that fired is itself in the log.
        sources=[
            api.StreamSource(
                name=TIMERS,
                subject_transforms=[api.SubjectTransform(src=f"{TIMER_DUE_ROOT}.>", dest=f"{subjects.ROOT}.timer.>")],
            )
        ],
    )


def intake_config(*, replicas: int = 1, max_bytes: int = -1) -> api.StreamConfig:
    """INTAKE: every payload as received, before it is understood. Full means refusing, which senders see as 503."""
    return api.StreamConfig(
        name=INTAKE,
        description="Payloads as received",
        subjects=[f"{INTAKE_SUBJECT_ROOT}.>"],
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.NEW,
        max_age=INTAKE_AGE_MAX_S,
        max_bytes=max_bytes,
        allow_atomic=True,  # concurrent requests share one batch, and so one sync
        allow_direct=True,
        compression=api.StoreCompression.S2,
        duplicate_window=DUPLICATE_WINDOW_S,
        num_replicas=replicas,
    )


def timers_config(*, replicas: int = 1) -> api.StreamConfig:
    """TIMERS: durable timers by `Nats-Schedule`. Schedules force `allow_rollup` and cannot deny purge (ADR-51)."""
    return api.StreamConfig(
        name=TIMERS,
        description="Durable timers",
        subjects=["tmr.>"],
        storage=api.StorageType.FILE,
        allow_msg_schedules=True,
        allow_msg_ttl=True,
        allow_direct=True,
        allow_rollup_hdrs=True,
        duplicate_window=DUPLICATE_WINDOW_S,
        num_replicas=replicas,
    )


async def declare_streams(js: JetStreamContext, *, replicas: int = 1, max_bytes: int = -1) -> None:
    """Create the three streams where they are missing. An existing stream is left as it is.

    Raises:
        nats.js.errors.APIError: the server refuses, for instance because JetStream is disabled.
    """
    for config in (
        timers_config(replicas=replicas),
        intake_config(replicas=replicas, max_bytes=max_bytes),
        events_config(replicas=replicas, max_bytes=max_bytes),
    ):
        assert config.name is not None
        try:
            await js.stream_info(config.name)
        except NotFoundError:
            await js.add_stream(config)


async def declare_consumer(
    js: JetStreamContext,
    *,
    stream: str,
    durable: str,
    filter_subjects: list[str],
    ack_wait_s: float = 30.0,
) -> None:
    """Create or update the durable pull consumer of one service.

    Delivery never gives up by itself (`max_deliver` is unlimited): setting a message aside is the service's own
    decision, recorded as a dead letter.
    """
    await js.add_consumer(
        stream,
        api.ConsumerConfig(
            name=durable,
            durable_name=durable,
            filter_subjects=filter_subjects,
            deliver_policy=api.DeliverPolicy.ALL,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=ack_wait_s,
            max_ack_pending=5_000,
        ),
    )
