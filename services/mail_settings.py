"""``[mail]``: whether intake takes alerts by e-mail, and where."""

import msgspec


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[mail]``: the SMTP port of intake, for senders that can do nothing but mail."""

    enabled: bool = False
    """Whether the port is opened at all."""
    listen: str = "127.0.0.1:8025"
    """``HOST:PORT`` of the port. Without a certificate unencrypted: behind a mail server, or within one network."""
    tls_certificate: str = ""
    """PEM file of the certificate chain, read at the start; with one, mail servers are offered STARTTLS."""
    tls_key: str = ""
    """PEM file of its key."""
    require_tls: bool = False
    """Whether mails that come unencrypted are refused. The address that a mail is sent to is a key."""
