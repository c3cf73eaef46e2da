"""Why: reads what led to something, asks intake for the payloads, and puts the answer together."""

import asyncio

import msgspec

from events import RecountError
from events.ids import new_event_id
from projections.lens import AsOf
from services.command import CommandRefused
from services.intake.commands import ShowReceipt
from services.rules.ruleset import RuleSet, from_settings
from services.web.identity import AskerRequest
from services.web.site import Site
from services.web.why_absent import absent_of
from services.web.why_chain import chain_of
from services.web.why_decisions import decisions_of
from services.web.why_reading import Walk, find
from services.web.why_told import Line, ReceiptTold, Subject, Why
from services.web.why_words import answer_of

# Payloads that are told of: those that the way begins with, which are one for an alert and a few for an incident.
RECEIPTS_MAX = 3
# A page is not held up by an intake that is away; the rest of the answer needs no intake.
RECEIPT_S_MAX = 1.5


async def why(request: AskerRequest, site: Site, text: str, lens: AsOf) -> Why:
    """The answer about whatever a text means.

    Raises:
        Problem: 404, nothing is known of it; 409, several alerts fit.
    """
    return await why_of(request, site, await find(site.reader, text, lens), lens)


async def why_of(request: AskerRequest, site: Site, subject: Subject, lens: AsOf) -> Why:
    """The answer about a subject that exists."""
    walk = Walk(site.reader, lens)
    material = await walk.material(subject)
    chain = chain_of(material)
    absent = absent_of(material, site.context.settings.paging.severity)
    receipts, decisions = await asyncio.gather(
        _receipts(request, site, subject, chain), decisions_of(walk, material, _built_in(site))
    )
    return Why(
        subject=subject,
        answer=answer_of(material, absent),
        receipts=receipts,
        chain=chain,
        absent=absent,
        decisions=decisions,
        unknown=material.left_out,
    )


def _built_in(site: Site) -> RuleSet:
    grouping = site.context.settings.grouping
    return from_settings(grouping.opens_at, grouping.severity)


async def _receipts(
    request: AskerRequest, site: Site, subject: Subject, chain: tuple[Line, ...]
) -> tuple[ReceiptTold, ...]:
    wanted = [int(subject.id)] if subject.kind == "receipt" else []
    wanted += [line.receipt_seq for line in chain if line.receipt_seq]
    found = list(dict.fromkeys(wanted))[:RECEIPTS_MAX]
    return tuple(await asyncio.gather(*(_receipt(request, site, seq) for seq in found)))


async def _receipt(request: AskerRequest, site: Site, seq: int) -> ReceiptTold:
    try:
        done = await asyncio.wait_for(
            site.orders.send(
                "intake",
                "receipt",
                ShowReceipt(receipt_seq=seq),
                order_id=new_event_id(),
                actor=await site.orders.actor_of(request),
                auth_id=request.user.auth_id,
            ),
            RECEIPT_S_MAX,
        )
    except CommandRefused as refusal:
        return ReceiptTold(seq=seq, trouble=refusal.answer.because)
    except (TimeoutError, RecountError) as error:
        because = str(error) or f"intake did not answer within {RECEIPT_S_MAX:g} s"
        return ReceiptTold(seq=seq, trouble=f"its bytes cannot be shown now: {because}")
    return msgspec.convert(done.told | {"seq": seq}, ReceiptTold, strict=False)
