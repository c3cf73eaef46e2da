"""What AWS says in messages of SNS and EventBridge: alarms of CloudWatch, findings of GuardDuty, any other event. Pure.

CloudWatch user guide, "Alarm events and EventBridge" and the message of an alarm's SNS action; GuardDuty user guide,
"Severity levels" and "Finding details"; EventBridge reference, "Event structure".

An alarm is known by its ARN and an occurrence by the time of the state change. A finding is known by its id, and comes
again whenever it was updated, which changes nothing. Neither CloudWatch nor most events know a severity: an alarm is an
``error``, missing data a ``warning``, and rules may map both.
"""

from typing import Any
from urllib.parse import quote

import msgspec

from events.alert import AlertSeverity
from services.intake.adapters import InvalidPayload
from services.intake.payload import UNREADABLE, as_object, identity, said
from services.intake.signal import Signal, State, lenient_moment, words

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
# GuardDuty: Low 1.0 to 3.9, Medium 4.0 to 6.9, High 7.0 to 8.9, Critical 9.0 to 10.0.
_FINDING_SEVERITIES: tuple[tuple[float, AlertSeverity], ...] = ((9, "critical"), (7, "error"), (4, "warning"))


def signals_of(message: dict[str, Any], *, topic: str = "") -> tuple[Signal, ...]:
    """What a message says, however it came.

    Args:
        message: a JSON object: an alarm as CloudWatch sends it to SNS, or an event as EventBridge has it.
        topic: ARN of the SNS topic that it came by.

    Raises:
        InvalidPayload: it is neither.
    """
    labels = {"topic": topic} if topic else {}
    if words(message.get("AlarmName")) and "NewStateValue" in message:
        return (_alarm_of_sns(message, labels),)
    if "detail-type" in message and "source" in message:
        return (_event(message, labels),)
    raise InvalidPayload("neither an alarm of CloudWatch nor an event of EventBridge")


def _alarm_of_sns(message: dict[str, Any], labels: dict[str, str]) -> Signal:
    trigger = as_object(message.get("Trigger"))
    dimensions = {
        words(one.get("name")): words(one.get("value"))
        for one in _objects(trigger.get("Dimensions")) or _metric_dimensions(trigger)
    }
    return _alarm(
        name=words(message["AlarmName"]),
        arn=words(message.get("AlarmArn")),
        account=words(message.get("AWSAccountId")),
        region=words(message.get("Region")),
        state=words(message["NewStateValue"]),
        former=words(message.get("OldStateValue")),
        reason=words(message.get("NewStateReason")),
        changed_at=words(message.get("StateChangeTime")),
        description=words(message.get("AlarmDescription")),
        metric=words(trigger.get("MetricName")),
        namespace=words(trigger.get("Namespace")),
        dimensions=dimensions,
        labels=labels,
    )


def _metric_dimensions(trigger: dict[str, Any]) -> list[dict[str, Any]]:
    # An alarm on metric maths lists its metrics instead.
    metrics = [as_object(as_object(one.get("MetricStat")).get("Metric")) for one in _objects(trigger.get("Metrics"))]
    return [dimension for metric in metrics for dimension in _objects(metric.get("Dimensions"))]


def _event(event: dict[str, Any], labels: dict[str, str]) -> Signal:
    kind, detail = words(event["detail-type"]), as_object(event.get("detail"))
    if kind == "CloudWatch Alarm State Change" and words(detail.get("alarmName")):
        return _alarm_of_eventbridge(event, detail, labels)
    if kind == "GuardDuty Finding" and words(detail.get("id")):
        return _finding(event, detail, labels)
    resources = event.get("resources")
    about = words(resources[0]) if isinstance(resources, list) and resources else words(event.get("id"))
    return Signal(
        state="firing",
        fingerprint=identity(f"{words(event['source'])}:{kind}:{about}"),
        title=f"{kind}: {about}" if about else kind,
        labels=said(
            labels
            | {
                "alertname": kind,
                "source": words(event["source"]),
                "account": words(event.get("account")),
                "region": words(event.get("region")),
            }
        ),
        annotations=said({"detail": words(detail)}),
        observed_at=lenient_moment(words(event.get("time"))),
    )


def _alarm_of_eventbridge(event: dict[str, Any], detail: dict[str, Any], labels: dict[str, str]) -> Signal:
    state, former = as_object(detail.get("state")), as_object(detail.get("previousState"))
    configuration = as_object(detail.get("configuration"))
    metrics = [
        as_object(as_object(one.get("metricStat")).get("metric")) for one in _objects(configuration.get("metrics"))
    ]
    dimensions: dict[str, str] = {}
    for metric in metrics:
        for name, value in as_object(metric.get("dimensions")).items():
            dimensions.setdefault(name, words(value))
    resources = event.get("resources")
    measured = next((metric for metric in metrics if metric.get("name")), {})
    return _alarm(
        name=words(detail["alarmName"]),
        arn=words(resources[0]) if isinstance(resources, list) and resources else "",
        account=words(event.get("account")),
        region=words(event.get("region")),
        state=words(state.get("value")),
        former=words(former.get("value")),
        reason=words(state.get("reason")),
        changed_at=words(state.get("timestamp")),
        description=words(configuration.get("description")),
        metric=words(measured.get("name")),
        namespace=words(measured.get("namespace")),
        dimensions=dimensions,
        labels=labels,
    )


def _alarm(
    *,
    name: str,
    arn: str,
    account: str,
    region: str,
    state: str,
    former: str,
    reason: str,
    changed_at: str,
    description: str,
    metric: str,
    namespace: str,
    dimensions: dict[str, str],
    labels: dict[str, str],
) -> Signal:
    parts = arn.split(":")
    partition, region = (parts[1], parts[3]) if len(parts) >= 7 else ("", region)
    happened_at = lenient_moment(changed_at)
    says: State = "firing"
    if state == "OK":
        says = "resolved"
    elif state == "INSUFFICIENT_DATA" and former == "ALARM":
        # It is not over, and it is no new occurrence either.
        says = "noted"
    return Signal(
        state=says,
        fingerprint=identity(arn or f"{account}:{region}:{name}"),
        title=name,
        severity="warning" if state == "INSUFFICIENT_DATA" else "error",
        service=dimensions.get("ServiceName", ""),
        labels=said(
            dimensions
            | labels
            | {
                "alertname": name,
                "account": account,
                "region": region,
                "metric": metric,
                "namespace": namespace,
                "state": state,
            }
        ),
        annotations=said({"description": description, "reason": reason}),
        url=_console(partition, region, name),
        started_at=happened_at if says == "firing" else None,
        ended_at=happened_at if says == "resolved" else None,
        observed_at=happened_at,
        note=(reason or "insufficient data") if says == "noted" else "",
        author="CloudWatch" if says == "noted" else "",
    )


def _console(partition: str, region: str, alarm: str) -> str:
    host = _CONSOLES.get(partition)
    return f"https://{host}/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(alarm, safe='')}" if host else ""


def _finding(event: dict[str, Any], detail: dict[str, Any], labels: dict[str, str]) -> Signal:
    service, resource = as_object(detail.get("service")), as_object(detail.get("resource"))
    is_archived = service.get("archived") is True
    # "Generate sample findings" makes one of each type, and nobody is to be woken by a hundred of them.
    is_sample = as_object(service.get("additionalInfo")).get("sample") is True
    updated_at = lenient_moment(words(detail.get("updatedAt")))
    region, account = words(detail.get("region") or event.get("region")), words(detail.get("accountId"))
    return Signal(
        state="resolved" if is_archived else "firing",
        fingerprint=identity(words(detail["id"])),
        title=words(detail.get("title")) or words(detail.get("type")),
        severity="info" if is_sample else _finding_severity(detail.get("severity")),
        labels=said(
            labels
            | {
                "alertname": words(detail.get("type")),
                "source": "aws.guardduty",
                "account": account or words(event.get("account")),
                "region": region,
                "resource_type": words(resource.get("resourceType")),
                "resource": _resource(resource),
                "severity_score": words(detail.get("severity")),
                "test": "true" if is_sample else "",
            }
        ),
        annotations=said(
            {
                "description": words(detail.get("description")),
                "arn": words(detail.get("arn")),
                "first_seen": words(service.get("eventFirstSeen")),
            }
        ),
        url=_guardduty(words(detail.get("partition")) or "aws", region, words(detail["id"])),
        started_at=None if is_archived else lenient_moment(words(detail.get("createdAt"))),
        ended_at=updated_at if is_archived else None,
        observed_at=updated_at,
    )


def _finding_severity(score: object) -> AlertSeverity:
    if isinstance(score, bool) or not isinstance(score, int | float):
        return "unknown"
    return next((severity for least, severity in _FINDING_SEVERITIES if score >= least), "info")


def _resource(resource: dict[str, Any]) -> str:
    """The name of what a finding is about, where its type has one."""
    for holder, name in (
        ("instanceDetails", "instanceId"),
        ("accessKeyDetails", "userName"),
        ("eksClusterDetails", "name"),
        ("ecsClusterDetails", "name"),
        ("lambdaDetails", "functionName"),
        ("rdsDbInstanceDetails", "dbInstanceIdentifier"),
    ):
        found = words(as_object(resource.get(holder)).get(name))
        if found:
            return found
    return next((words(bucket.get("name")) for bucket in _objects(resource.get("s3BucketDetails"))), "")


def _guardduty(partition: str, region: str, finding_id: str) -> str:
    host = _CONSOLES.get(partition)
    query = f"macros=current&fId={quote(finding_id, safe='')}"
    return f"https://{host}/guardduty/home?region={region}#/findings?{query}" if host and region else ""


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def decoded(text: str | bytes) -> object:
    """JSON of a message; None when it is none."""
    try:
        return msgspec.json.decode(text)
    except UNREADABLE:
        return None
