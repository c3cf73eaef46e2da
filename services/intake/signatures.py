"""Whether a request was signed by its sender: fetches what the check needs, and has it checked."""

from events.errors import RecountError
from services.clock import Clock
from services.intake.adapters import Adapter, Request
from services.intake.certificates import Certificates
from services.intake.keys import Key
from services.intake.public_web import NotFetched, Unreachable
from services.intake.signature import Forged, Proof, Signature
from services.intake.turned import Turned
from services.signing_secrets import SigningSecrets

# Long enough for a network to come back, short enough for an alert.
RETRY_AFTER_S = 5


class Signatures:
    """Checks signatures at the door.

    Args:
        secrets: what senders sign with that share a secret with us.
        certificates: what the others sign with.
        clock: says whether a certificate is still valid.
    """

    def __init__(self, secrets: SigningSecrets, certificates: Certificates, clock: Clock) -> None:
        self._secrets = secrets
        self._certificates = certificates
        self._clock = clock

    async def check(self, adapter: Adapter, key: Key, request: Request) -> None:
        """Let a request pass that is signed, or that need not be.

        Raises:
            Turned: 401 for a signature that is missing or does not fit; 503 when it cannot be checked now.
        """
        signature = adapter.signature
        if signature is None or (signature.needs_secret and not key.signing_id):
            return
        try:
            proof = await self._proof(signature, key, request)
            signature.check(request.headers, request.body, proof)
        except (Forged, NotFetched) as error:
            raise Turned(401, str(error)) from error
        except (Unreachable, RecountError) as error:
            raise Turned(
                503, f"the signature cannot be checked now: {error}", retry_after=str(RETRY_AFTER_S)
            ) from error

    async def _proof(self, signature: Signature, key: Key, request: Request) -> Proof:
        now = self._clock.now()
        if signature.certificate_url is not None:
            return Proof(now=now, certificate=await self._certificates.get(signature.certificate_url(request.body)))
        secret = self._secrets.get(key.signing_id)
        if secret is None:
            raise RecountError(f"the signing secret of {key.key_id} is not on this machine")
        return Proof(now=now, secret=secret)
