"""The certificate that connections are encrypted with: a configured one, or one that is made at the first start."""

import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.secrets import write_private
from services.server_tls import server_tls
from services.settings import PostgresSettings

CERTIFICATE_NAME, KEY_NAME = "postgres.crt", "postgres.key"
# Nobody renews it, and clients trust it by its file.
YEARS = 10


def tls_context(data: Path, settings: PostgresSettings) -> ssl.SSLContext:
    """How connections are encrypted.

    Args:
        data: the data folder, where a certificate is made when none is configured.
        settings: which one is.

    Raises:
        BadConfiguration: the files cannot be used.
    """
    certificate, key = Path(settings.tls_certificate), Path(settings.tls_key)
    if not settings.tls_certificate:
        certificate, key = data / CERTIFICATE_NAME, data / KEY_NAME
        if not (certificate.exists() and key.exists()):
            make_certificate(certificate, key)
    return server_tls("postgres", certificate, key)


def make_certificate(certificate: Path, key: Path) -> None:
    """Make a key and a certificate for it that vouches for itself, for this machine's names."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Recount")])
    now = datetime.now(UTC)
    names = dict.fromkeys(("localhost", socket.gethostname()))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    *(x509.DNSName(each) for each in names if each.isascii()),
                    *(x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(key, secret)
    write_private(certificate, signed.public_bytes(pem))
