"""`recount snapshot`: where the file is, and a new one when asked for."""

import duckdb

from tests.cli.recount import Recount


def test_it_is_written_when_asked_for_and_any_duckdb_opens_it(recount: Recount, played: str):
    said = recount.do("snapshot", "--now", "--json").json
    assert said["info"]["has_names"] is False
    with duckdb.connect(said["path"], read_only=True) as other:
        assert other.execute("select phase from incidents where incident_id = ?", [played]).fetchall() == [
            ("resolved",)
        ]
        assert other.execute("select count(*) from people where name is not null").fetchall() == [(0,)]
    shown = recount.do("snapshot").out
    assert said["path"] in shown
    assert f"at log position {said['info']['position']}" in shown
