"""HTTP API: people, on-call, integration keys and dead letters. Reading needs a login, changing an admin token."""

from typing import Annotated, Any, TypedDict

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from services.command import CommandRefused, Done
from services.intake.commands import FORMER_FOR_MAX_S
from services.oncall.commands import ConfigurePolicy, ConfigureRotation
from services.secrets import hash_secret, new_secret
from services.signing_secrets import SigningSecrets
from services.web.answers import Seen, json_rows, seen_through
from services.web.declared import ORDER, declared
from services.web.identity import AskerRequest, admin_only
from services.web.problems import Problem
from services.web.site import Here, Lens

# Far beyond what anybody looks at by hand; `select * from dead_letters` gives them all.
ROWS_MAX = 1_000


class NewPerson(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody to add."""

    handle: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    zone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    contacts: Annotated[tuple[str, ...], msgspec.Meta(max_length=20)] = ()
    """``<channel>:<address>`` each, in the order to try."""


class NewKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An integration key to make."""

    sender: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """The adapter it may speak to, such as ``alertmanager``."""
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    service: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """Service of alerts that do not name one themselves."""
    mapping: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    """How payloads are read, as TOML or JSON: for the sender ``mapped``."""


class NewMapping(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a key's payloads are read."""

    mapping: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    """TOML or JSON."""


class NewSigningSecret(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a sender signs with."""

    secret: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    """As the sender shows it; a shorter one could be guessed."""


class NewSecret(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new secret for an integration key."""

    former_for_s: Annotated[int, msgspec.Meta(ge=0, le=FORMER_FOR_MAX_S)] = 24 * 3_600
    """How long the former secret is accepted beside the new one, in seconds; 0: no longer."""


class People(TypedDict):
    """Everybody."""

    people: list[dict[str, Any]]


class Keys(Seen):
    """Integration keys: rows of the view ``integration_keys``."""

    keys: list[dict[str, Any]]


class DeadLetters(Seen):
    """Rows of the view ``dead_letters``."""

    dead_letters: list[dict[str, Any]]


@get("/people")
async def people(site: Here) -> People:
    """Everybody, erased people too, without their contacts."""
    everybody = await site.names.people(fresh=True)
    return {"people": [msgspec.structs.asdict(person) for person in everybody.values()]}


@post("/people", opt=ORDER, guards=[admin_only])
async def add_person(request: AskerRequest, data: JSONBody[NewPerson], site: Here) -> Response[Done]:
    """Add somebody who can be paged, hold a role, or act."""
    contacts = [_contact(text, number) for number, text in enumerate(data.contacts)]
    details = {"handle": data.handle, "name": data.name or data.handle, "zone": data.zone, "contacts": contacts}
    return Response(await site.orders.give(request, "oncall", "add_person", {"details": details}), status_code=201)


@delete("/people/{handle:str}", status_code=200, opt=ORDER, guards=[admin_only])
async def erase_person(
    request: AskerRequest,
    handle: FromPath[str],
    site: Here,
    reason: Annotated[str, QueryParameter(max_length=2_000)] = "",
) -> Done:
    """Erase a person: their key is destroyed, what they did stays under an opaque id."""
    person = await site.names.find(handle)
    return await site.orders.give(request, "oncall", "erase_person", {"reason": reason}, target=person.person_id)


@post(
    "/rotations/{rotation_id:str}",
    status_code=200,
    opt=declared(is_order=True, bodies=(ConfigureRotation,)),
    guards=[admin_only],
)
async def configure_rotation(
    request: AskerRequest, rotation_id: FromPath[str], data: JSONBody[dict[str, Any]], site: Here
) -> Done:
    """Set a rotation, as a whole: the fields of the command `configure_rotation`."""
    return await site.orders.give(request, "oncall", "configure_rotation", data, target=rotation_id)


@post(
    "/policies/{policy_id:str}",
    status_code=200,
    opt=declared(is_order=True, bodies=(ConfigurePolicy,)),
    guards=[admin_only],
)
async def configure_policy(
    request: AskerRequest, policy_id: FromPath[str], data: JSONBody[dict[str, Any]], site: Here
) -> Done:
    """Set an escalation policy, as a whole: the fields of the command `configure_policy`."""
    return await site.orders.give(request, "oncall", "configure_policy", data, target=policy_id)


@get("/keys")
async def keys(site: Here, lens: Lens) -> Keys:
    """Integration keys, without their secrets."""
    seen = seen_through(site.reader, lens)
    rows = await site.reader.rows(
        f"select * from integration_keys order by created_at, key_id limit {ROWS_MAX}", as_of=lens
    )
    return {"keys": json_rows(rows), **seen}


@post("/keys", opt=ORDER, guards=[admin_only])
async def create_key(request: AskerRequest, data: JSONBody[NewKey], site: Here) -> Response[dict[str, Any]]:
    """Make an integration key. Its secret is in this answer and nowhere else: the log holds its hash."""
    secret = new_secret()
    fields = msgspec.structs.asdict(data) | {"secret_sha256": hash_secret(secret)}
    done = await site.orders.give(request, "intake", "create_key", fields)
    if not done.seq:
        raise Problem(
            409,
            "The key was made before",
            because="a request with this Idempotency-Key made it, and its secret was told once",
            instead=f"Revoke {done.target} and make another with a new Idempotency-Key.",
        )
    return Response(msgspec.to_builtins(done) | {"key_id": done.target, "secret": secret}, status_code=201)


@post("/keys/{key_id:str}/rotate", status_code=200, opt=ORDER, guards=[admin_only])
async def rotate_key(
    request: AskerRequest, key_id: FromPath[str], data: JSONBody[NewSecret], site: Here
) -> dict[str, Any]:
    """Give an integration key a new secret. It is in this answer and nowhere else; the former one works for a while."""
    secret = new_secret()
    fields = msgspec.structs.asdict(data) | {"secret_sha256": hash_secret(secret)}
    done = await site.orders.give(request, "intake", "rotate_key", fields, target=key_id)
    if not done.seq:
        raise Problem(
            409,
            "The key was rotated before",
            because="a request with this Idempotency-Key did it, and the secret was told once",
            instead="Rotate it again with a new Idempotency-Key.",
        )
    told: dict[str, Any] = msgspec.to_builtins(done) | {"key_id": done.target, "secret": secret}
    return told


@delete("/keys/{key_id:str}", status_code=200, opt=ORDER, guards=[admin_only])
async def revoke_key(
    request: AskerRequest,
    key_id: FromPath[str],
    site: Here,
    reason: Annotated[str, QueryParameter(max_length=2_000)] = "",
) -> Done:
    """Stop accepting an integration key."""
    return await site.orders.give(request, "intake", "revoke_key", {"reason": reason}, target=key_id)


@post("/keys/{key_id:str}/mapping", status_code=200, opt=ORDER, guards=[admin_only])
async def map_key(request: AskerRequest, key_id: FromPath[str], data: JSONBody[NewMapping], site: Here) -> Done:
    """Read a key's payloads by another mapping from now on."""
    return await site.orders.give(request, "intake", "map_key", {"mapping": data.mapping}, target=key_id)


@post("/keys/{key_id:str}/signing-secret", status_code=200, opt=ORDER, guards=[admin_only])
async def sign_key(request: AskerRequest, key_id: FromPath[str], data: JSONBody[NewSigningSecret], site: Here) -> Done:
    """Accept what comes with a key only if its sender signed it with this secret, which is kept beside the log."""
    secrets = SigningSecrets(site.context.data)
    # Before the order: from its answer on, nothing is let in that was not signed with it.
    signing_id = secrets.keep(key_id, data.secret)
    try:
        return await site.orders.give(request, "intake", "sign_key", {"signing_id": signing_id}, target=key_id)
    except CommandRefused as refused:
        if refused.answer.code != "unavailable":  # then it may be done all the same
            secrets.forget(signing_id)
        raise


@delete("/keys/{key_id:str}/signing-secret", status_code=200, opt=ORDER, guards=[admin_only])
async def unsign_key(request: AskerRequest, key_id: FromPath[str], site: Here) -> Done:
    """Accept what comes with a key without a signature again."""
    return await site.orders.give(request, "intake", "sign_key", {"signing_id": ""}, target=key_id)


@get("/dead-letters")
async def dead_letters(
    site: Here, lens: Lens, wanted: Annotated[str, QueryParameter(name="state", max_length=40)] = ""
) -> DeadLetters:
    """Messages that a service could not use and set aside, the newest first."""
    seen = seen_through(site.reader, lens)
    rows = await site.reader.rows(
        f"select * from dead_letters where ? in ('', state) order by recorded_at desc, dead_letter_id limit {ROWS_MAX}",
        (wanted,),
        as_of=lens,
    )
    return {"dead_letters": json_rows(rows), **seen}


@post("/dead-letters/{dead_letter_id:str}/replay", status_code=200, opt=ORDER, guards=[admin_only])
async def replay_dead_letter(request: AskerRequest, dead_letter_id: FromPath[str], site: Here) -> Done:
    """Try a dead letter again."""
    fields = {"dead_letter_id": dead_letter_id}
    return await site.orders.give(request, "intake", "replay", fields, target=dead_letter_id)


def _contact(text: str, number: int) -> dict[str, str]:
    channel, colon, address = text.partition(":")
    if not colon or not channel:
        raise Problem(
            400,
            f"Contact {number} cannot be used",
            because=f"{text[:100]!r} is not <channel>:<address>",
            instead="Write smtp:ada@example.org, console: or an Apprise URL.",
        )
    return {"channel": channel, "address": address}


router = Router(
    path="/api",
    route_handlers=[
        people,
        add_person,
        erase_person,
        configure_rotation,
        configure_policy,
        keys,
        create_key,
        rotate_key,
        revoke_key,
        map_key,
        sign_key,
        unsign_key,
        dead_letters,
        replay_dead_letter,
    ],
)
