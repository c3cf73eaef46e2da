"""Sealing what names a person: AES-256-GCM under a key of that person.

Only the functions are here, and they keep nothing; where the keys lie is `services.keyring`'s business.
"""

import base64
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.errors import PersonErased, RecountError
from events.person import PersonDetails

KEY_BYTES = 32
# NIST SP 800-38D section 8.2.2: a random 96-bit nonce is safe far beyond the few times one person's details change.
NONCE_BYTES = 12

_DECODER = msgspec.json.Decoder(PersonDetails)


def new_key() -> bytes:
    """A fresh key for one person."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def seal(details: PersonDetails, key: bytes, person_id: str) -> str:
    """Encrypt a person's details, bound to the person's id so that they cannot be moved to another's stream.

    Returns:
        Base64 of nonce and ciphertext.
    """
    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(
        nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(details), person_id.encode())
    ).decode()


def unseal(sealed: str, key: bytes | None, person_id: str) -> PersonDetails:
    """Decrypt a person's details.

    Raises:
        PersonErased: there is no key any more.
        RecountError: the key is not the one it was sealed with, or the text was altered.
    """
    if key is None:
        raise PersonErased(f"the key of {person_id} was destroyed")
    try:
        data = base64.b64decode(sealed)
        plain = AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], person_id.encode())
    except (InvalidTag, ValueError) as error:
        raise RecountError(
            f"the details of {person_id} do not open with the key on this machine",
            hint="Copy the folder `people` of the data directory that wrote them.",
        ) from error
    return _DECODER.decode(plain)
