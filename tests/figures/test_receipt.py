"""A receipt says all that is needed to compute a figure again, in one line."""

from base64 import urlsafe_b64encode
from datetime import datetime

import msgspec
import pytest

from projections.catalog import read_catalog
from projections.figures.cohort import Cohort
from projections.figures.definition import MEASUREMENTS, NoSuchMetric, definition, measured_by, metrics
from projections.figures.receipt import BadReceipt, again, decode, engine_version, tell
from projections.lens import Lens
from tests.figures.story import asking, lasted, lasting

LENS = Lens(position=4711)
FEBRUARY = Cohort(start=datetime(2026, 2, 1), end=datetime(2026, 3, 1))


def test_a_receipt_names_position_definition_cohort_and_engine():
    (told,) = tell(asking(lasted(*range(1, 9))), LENS, ("ttr_recover",), FEBRUARY, program="1.2.3")
    receipt = decode(told.receipt)
    assert (receipt.position, receipt.metric, receipt.version) == (4711, "ttr_recover", 1)
    assert (receipt.definition, receipt.cohort) == (definition("ttr_recover").sha256, FEBRUARY)
    assert (receipt.engine, receipt.program) == (engine_version(), "1.2.3")
    assert receipt.figure == told.figure.digest
    assert receipt.lens == LENS
    assert len(told.receipt) < 500
    assert "\n" not in told.receipt


def test_computed_again_it_is_equal_whatever_was_broken_over_lines():
    ask = asking(lasted(*range(1, 9)), lasting(30))
    (told,) = tell(ask, LENS, ("ttr_recover",), FEBRUARY, program="1.2.3", has_mean=True)
    pasted = f"  {told.receipt[:50]}\n{told.receipt[50:]} "
    verdict = again(ask, decode(pasted), program="1.2.3")
    assert (verdict.holds, verdict.differences) == (True, ())
    assert verdict.told.figure == told.figure


def test_another_measurement_is_another_figure():
    (told,) = tell(asking(lasted(*range(1, 9))), LENS, ("ttr_recover",), FEBRUARY, program="1.2.3")
    verdict = again(asking(lasted(*range(2, 10))), decode(told.receipt), program="1.2.3")
    assert not verdict.holds
    assert [difference.part for difference in verdict.differences] == ["figure"]


def test_another_program_is_told_and_the_figure_still_holds():
    ask = asking(lasted(*range(1, 9)))
    (told,) = tell(ask, LENS, ("ttr_recover",), FEBRUARY, program="1.2.3")
    verdict = again(ask, decode(told.receipt), program="1.3.0")
    assert verdict.holds
    assert [(each.part, each.then, each.now) for each in verdict.differences] == [("program", "1.2.3", "1.3.0")]


def test_a_group_that_is_gone_is_an_empty_figure_and_no_error():
    ask = asking(lasted(*range(1, 9)))
    (told,) = tell(ask, LENS, ("ttr_recover",), Cohort(by="service"), program="1")
    verdict = again(asking(lasted(*range(1, 9), service="search")), decode(told.receipt), program="1")
    assert not verdict.holds
    assert verdict.told.figure.group == "checkout"


def test_the_mean_depends_on_position_and_cohort_only_through_its_seed():
    ask = asking(lasted(*range(1, 30)))
    one, other = (
        tell(ask, Lens(position=position), ("ttr_recover",), Cohort(), program="1", has_mean=True)[0].figure.mean
        for position in (1, 2)
    )
    assert one is not None
    assert other is not None
    assert one.value_us == other.value_us
    assert one != other


@pytest.mark.parametrize("text", ["", "rc1.", "rc2.abc", "rc1.e30", "rc1.AAAA", "rc1.é", "rc1." + "A" * 10_000])
def test_what_is_no_receipt_is_refused(text: str):
    with pytest.raises(BadReceipt):
        decode(text)


def test_a_receipt_with_parts_that_nobody_knows_is_refused():
    (told,) = tell(asking(lasted(1)), LENS, ("ttr_recover",), Cohort(), program="1")
    said = msgspec.to_builtins(decode(told.receipt)) | {"x": 1}
    with pytest.raises(BadReceipt, match="unknown field"):
        decode("rc1." + urlsafe_b64encode(msgspec.json.encode(said)).decode())


def test_every_metric_has_a_version_a_start_an_end_and_a_hash_of_its_own():
    defined = [definition(metric) for metric in metrics()]
    assert {"ttd", "tta", "ttc", "ttm", "ttr_recover"} <= {each.metric for each in defined}
    assert all(each.version >= 1 and each.starts and each.ends and each.sentence for each in defined)
    assert len({each.sha256 for each in defined}) == len(defined)


def test_another_metric_beside_it_leaves_a_hash_alone():
    (measurements,) = [view.sql for view in read_catalog().views if view.name == MEASUREMENTS]
    arm = "select 'ttx', 1, incident_id, started, ended, known_until, 0, state, '' from ttx\n    union all\n"
    more = measurements.replace("    select 'dwell'", f"    {arm}    select 'dwell'")
    assert more != measurements
    assert measured_by("ttr_recover", more) == measured_by("ttr_recover", measurements)
    assert measured_by("ttr_recover", measurements) != measured_by("ttd", measurements)


def test_there_is_no_bare_mttr():
    with pytest.raises(NoSuchMetric):
        definition("ttr")
