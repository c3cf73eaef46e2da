"""psql connects, lists, describes, and shows where a query is wrong."""

import os
import shutil
import subprocess

import pytest

from tests.pgwire.serving import Serving

pytestmark = pytest.mark.skipif(shutil.which("psql") is None, reason="needs psql, of Debian's postgresql-client")


def psql(server: Serving, *commands: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run commands, unaligned and without headers."""
    arguments = [argument for command in commands for argument in ("-c", command)]
    return subprocess.run(
        ["psql", server.dsn, "-X", "-A", "-t", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | variables,
        check=False,
    )


def said(server: Serving, *commands: str) -> str:
    done = psql(server, *commands)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scripted(server: Serving, script: str) -> str:
    """What it says to a script, in which its own commands may follow a statement."""
    done = subprocess.run(
        ["psql", server.dsn, "-X", "-A", "-t", "-q"],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_asks_a_view(server: Serving):
    assert said(server, "select incident_id, title from public.incidents order by 1") == (
        "INC-42|checkout is down\nINC-43|search is slow\n"
    )


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        (r"\dv", "public|incidents|view|recount"),
        (r"\d", "public|incidents|view|recount"),
        (r"\d incidents", "opened_at|timestamp without time zone|||"),
        (r"\d+ incidents", "Which incident, such as `INC-42`."),
        (r"\dv+ incidents", "Every incident as it stands"),
        (r"\sv incidents", "CREATE OR REPLACE VIEW public.incidents AS"),
        (r"\l", "recount|recount|UTF8"),
        (r"\dn", "public|recount"),
        (r"\du", "recount|Cannot login"),
        (r"\dp incidents", "public|incidents|view"),
        (r"\db", "pg_default|recount"),
        (r"\conninfo", 'connected to database "recount" as user "ada"'),
        (r"\encoding", "UTF8"),
    ],
)
def test_its_commands_show_what_there_is(server: Serving, command: str, shows: str):
    assert shows in said(server, command)


@pytest.mark.parametrize("command", [r"\df", r"\dT", r"\dx", r"\dC", r"\det", r"\da", r"\dL", r"\do", r"\dRp", r"\dy"])
def test_of_what_recount_does_not_have_there_is_nothing(server: Serving, command: str):
    assert said(server, command) == ""


def test_there_are_no_tables_of_which_the_views_are_made(server: Serving):
    listed = psql(server, r"\dt")
    assert "Did not find any relations" in listed.stdout + listed.stderr
    assert "log_rows" not in said(server, r"\d")


def test_an_error_points_at_its_place(server: Serving):
    done = psql(server, "select title,\n  bogus from incidents")
    assert 'Referenced column "bogus" not found' in done.stderr
    assert "LINE 2:   bogus from incidents\n          ^" in done.stderr
    assert "HINT:" in done.stderr


def test_an_error_in_the_second_statement_points_into_the_whole_text(server: Serving):
    done = psql(server, "select 1; select bogus")
    assert done.stdout == "1\n"
    assert "LINE 1: select 1; select bogus\n                         ^" in done.stderr


def test_several_statements_are_answered_in_order(server: Serving):
    assert said(server, "begin; select 1; select 2; commit") == "BEGIN\n1\n2\nCOMMIT\n"
