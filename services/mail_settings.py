"""``[mail]``: whether intake takes alerts by e-mail, and where."""

import msgspec


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[mail]``: the SMTP port of intake, for senders that can do nothing but mail."""

    enabled: bool = False
    """Whether the port is opened at all."""
    listen: str = "127.0.0.1:8025"
    """``HOST:PORT`` of the port. Unencrypted: behind a mail server, or within one network."""
