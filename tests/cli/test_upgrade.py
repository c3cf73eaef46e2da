"""`recount upgrade`: compares with the snapshot while the platform runs."""

from tests.cli.recount import Recount


def test_the_version_that_runs_would_change_nothing(recount: Recount, played: str):
    recount.do("snapshot", "--now")
    said = recount.do("upgrade", "--preview", "--json").json
    assert said["changes"] == []
    assert said["position"] > 0
    assert "defines every view as" in recount.do("upgrade", "--preview").out
    assert recount.do("upgrade", "--json").json == {"upgrade": ""}
