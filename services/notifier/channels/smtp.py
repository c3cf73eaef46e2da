"""Contacts ``smtp:ada@example.org``: mail through the server of ``[smtp]`` in recount.toml.

The Message-ID is made of the page and the attempt, so two mails about one page can be told to be just that.
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from events.person import Contact
from services.notifier.channel import ChannelFailed, ChannelSettings, Message, Receipt, in_thread
from services.settings import SmtpSettings

SCHEMES = ("smtp",)

# Each step of the conversation, of which a page takes about six. Shorter than the time-out of the whole
# (`services.notifier.service.SEND_TIMEOUT_S`), so that a thread ends soon after its sender has given up.
STEP_TIMEOUT_S = 10.0
# RFC 5321 section 4.2.1: a reply of 500 and more is final, the client should not repeat the request.
PERMANENT_REPLY = 500
# RFC 5321 section 4.5.3.1.3: a path has at most 256 characters with its brackets.
ADDRESS_CHARS_MAX = 254


async def send(message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
    """Hand the mail to the server. See `Channel.send`."""
    smtp = settings.smtp
    if smtp is None:
        raise ChannelFailed("no mail server is configured: [smtp] is missing in recount.toml", permanent=True)
    mail = _mail(message, contact.address, smtp.sender)
    await in_thread("smtp", lambda: _deliver(mail, contact.address, smtp))
    return Receipt(str(mail["Message-ID"]))  # a header object would not encode


def problem_with(contact: Contact) -> str | None:
    """See `Channel.problem_with`."""
    address = contact.address
    name, plain = parseaddr(address)
    local, _, domain = plain.rpartition("@")
    if name or plain != address or not local or not domain or len(address) > ADDRESS_CHARS_MAX or " " in address:
        return "expected a plain address such as ada@example.org"
    return None


def _mail(message: Message, recipient: str, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{parseaddr(sender)[1].rpartition('@')[2] or 'recount'}>"
    # RFC 3834 section 5: no out-of-office replies to a machine.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    return mail


def _deliver(mail: EmailMessage, recipient: str, settings: SmtpSettings) -> None:
    server = f"{settings.host}:{settings.port}"
    handed_over = False
    try:
        with _connect(settings) as connection:
            handed_over = True
            connection.send_message(mail, to_addrs=[recipient])
    except smtplib.SMTPRecipientsRefused as error:
        code, text = error.recipients[recipient]
        raise ChannelFailed(f"{server} refused the recipient: {_reply(code, text)}", permanent=_final(code)) from error
    except smtplib.SMTPResponseException as error:
        raise ChannelFailed(
            f"{server} answered {_reply(error.smtp_code, error.smtp_error)}", permanent=_final(error.smtp_code)
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise ChannelFailed(f"{server} does not offer what [smtp] asks for: {error}", permanent=True) from error
    except (OSError, smtplib.SMTPException) as error:
        # Once the mail is on its way, a broken line says nothing about whether it arrived.
        raise ChannelFailed(f"{server} could not be reached: {error}", unknown=handed_over) from error


def _connect(settings: SmtpSettings) -> smtplib.SMTP:
    connection: smtplib.SMTP
    if settings.security == "tls":
        connection = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=STEP_TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(settings.host, settings.port, timeout=STEP_TIMEOUT_S)
    try:
        if settings.security == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if settings.user:
            connection.login(settings.user, settings.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _final(code: int) -> bool:
    return code >= PERMANENT_REPLY


def _reply(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
