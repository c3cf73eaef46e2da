"""Addresses of AWS that we are willing to call because a payload names them. Pure, and as narrow as AWS allows.

Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages": take certificates from Amazon SNS alone.
A payload comes from outside, so nothing in it may make us call anybody else.
"""

import re
from urllib.parse import parse_qsl, urlsplit

# Regions have names such as eu-west-1, us-gov-east-1 and cn-north-1; those of China lie under amazonaws.com.cn.
_SNS_HOST = re.compile(r"sns\.([a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2})\.amazonaws\.com(\.cn)?")
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_TOPIC = re.compile(r"arn:aws(?:-[a-z]+)*:sns:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,256}(?:\.fifo)?)")
_TOKEN = re.compile(r"[0-9A-Za-z]{1,1000}")
# Characters. A token is 200 to 300, a topic at most 300.
_URL_LENGTH_MAX = 2_000


def topic_region(topic: str) -> str:
    """The region in the ARN of an SNS topic; empty when it is none."""
    found = _TOPIC.fullmatch(topic)
    return found[1] if found else ""


def certificate_fault(url: str) -> str:
    """Why a URL is no signing certificate of SNS; empty when it is one."""
    return _fault(url) or (
        "" if _CERTIFICATE_PATH.fullmatch(urlsplit(url).path) and not urlsplit(url).query else "it is no certificate"
    )


def confirmation_fault(url: str, topic: str) -> str:
    """Why a URL does not confirm a subscription to an SNS topic; empty when it does.

    Args:
        url: that a ``SubscriptionConfirmation`` asks us to visit.
        topic: the ARN that the same message names.
    """
    fault = _fault(url)
    if fault:
        return fault
    region = topic_region(topic)
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    if parts.path not in ("", "/") or asked.get("Action") != "ConfirmSubscription":
        return "it does not confirm a subscription"
    if not region or parts.hostname not in (f"sns.{region}.amazonaws.com", f"sns.{region}.amazonaws.com.cn"):
        return f"its host is not that of the topic {topic[:100]!r}"
    if asked.get("TopicArn") != topic:
        return f"it is about another topic than {topic[:100]!r}"
    if set(asked) != {"Action", "TopicArn", "Token"} or not _TOKEN.fullmatch(asked["Token"]):
        return "it asks for more than a confirmation"
    return ""


def _fault(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"it is no URL: {error}"
    if len(url) > _URL_LENGTH_MAX or not url.isascii() or any(character <= " " for character in url):
        return "it is no URL"
    if parts.scheme != "https":
        return "it is not https"
    if not _SNS_HOST.fullmatch(parts.netloc.lower()) or port is not None:
        return f"its host {parts.netloc[:100]!r} is not sns.<region>.amazonaws.com or .com.cn"
    return "it has a fragment" if parts.fragment else ""
