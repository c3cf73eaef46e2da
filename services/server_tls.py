"""The encryption of a port that speaks another protocol than HTTP: a certificate and its key, from two PEM files."""

import ssl
from pathlib import Path

from events.errors import BadConfiguration


def server_tls(table: str, certificate: Path, key: Path) -> ssl.SSLContext:
    """How connections to a port are encrypted: TLS 1.2 or later.

    Args:
        table: of the settings that name the files, for the error.
        certificate: the chain, the port's own first.
        key: of the first one.

    Raises:
        BadConfiguration: the files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without an answer the library would ask for a password on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise BadConfiguration(
            f"{table}.tls_certificate {certificate} and {table}.tls_key {key} cannot be used: {error}",
            hint="Both are PEM files, the key without a password; this user must be able to read them.",
        ) from error
    return context
