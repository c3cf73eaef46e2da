"""Who may connect, and how: SCRAM-SHA-256, TLS, and what a stranger learns."""

import base64
import hashlib
import hmac
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from events import RecountError
from services.pgwire.certificate import KEY_NAME
from services.pgwire.scram import LoginFailed, ScramServer
from services.settings import PostgresSettings
from services.sql_users import FILE_NAME, SqlUsers, make_verifier, stand_in
from tests.pgwire.conftest import HISTORY
from tests.pgwire.serving import PASSWORD, USER, Serving, serving

NOW = datetime(2026, 3, 1, tzinfo=UTC)

# The example of RFC 7677, section 3.
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_login_is_that_of_the_rfc():
    login = ScramServer(make_verifier("pencil", salt=SALT), nonce=SERVER_NONCE)
    assert login.first(CLIENT_FIRST) == SERVER_FIRST
    assert login.final(CLIENT_FINAL) == SERVER_FINAL


@pytest.mark.parametrize(
    "first", [b"", b"n,,", b"n,,n=user", b"p=tls-server-end-point,,n=user,r=x", b"n,a=bob,n=user,r=x", b"\xff"]
)
def test_a_first_message_that_is_none_is_refused(first: bytes):
    with pytest.raises(LoginFailed):
        ScramServer(make_verifier("pencil")).first(first)


@pytest.mark.parametrize(
    "final",
    [
        b"",
        b"c=biws",
        CLIENT_FINAL.replace(b"c=biws", b"c=eSws"),
        CLIENT_FINAL.replace(b"rOpr", b"sOpr"),
        CLIENT_FINAL[:-4],
    ],
)
def test_a_final_message_that_does_not_fit_is_refused(final: bytes):
    login = ScramServer(make_verifier("pencil", salt=SALT), nonce=SERVER_NONCE)
    login.first(CLIENT_FIRST)
    with pytest.raises(LoginFailed):
        login.final(final)


def test_a_verifier_holds_no_password_and_proves_it():
    verifier = make_verifier("pencil", salt=SALT)
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", SALT, 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert verifier.stored_key == hashlib.sha256(client_key).digest()
    assert b"pencil" not in repr(verifier).encode()


def test_the_stand_in_of_a_stranger_keeps_its_salt():
    one, same, other = (stand_in(name, b"key") for name in ("eve", "eve", "mallory"))
    assert one.salt == same.salt != other.salt
    assert stand_in("eve", b"another key").salt != one.salt


@pytest.mark.parametrize("user", [USER, "nobody"])
def test_a_wrong_password_and_an_unknown_user_hear_the_same(server: Serving, user: str):
    with pytest.raises(psycopg.OperationalError) as refusal:
        psycopg.connect(server.dsn, user=user, password="wrong")
    assert f'password authentication failed for user "{user}"' in str(refusal.value)


def test_no_password_is_ever_sent_in_clear(server: Serving):
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn, require_auth="password")


def test_another_database_does_not_exist(server: Serving):
    with pytest.raises(psycopg.OperationalError, match='database "sales" does not exist'):
        psycopg.connect(server.dsn, dbname="sales")


def test_tls_is_offered_and_can_be_verified(server: Serving):
    trusted = {"sslmode": "verify-full", "sslrootcert": str(server.certificate), "host": "localhost"}
    with psycopg.connect(server.dsn, **trusted, hostaddr="127.0.0.1") as connection:
        assert connection.execute("show ssl").fetchone() == ("on",)
        assert connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        psycopg.connect(server.dsn, **(trusted | {"host": "recount.example.org"}), hostaddr="127.0.0.1")


def test_the_key_is_for_its_owner_only(server: Serving):
    for name in (KEY_NAME, FILE_NAME):
        assert stat.S_IMODE((server.data / name).stat().st_mode) == 0o600
    assert PASSWORD not in (server.data / FILE_NAME).read_text()


def test_where_tls_is_needed_a_plain_connection_is_refused(tmp_path: Path):
    with serving(tmp_path, HISTORY, needs_tls=True) as server:
        with pytest.raises(psycopg.OperationalError, match="takes encrypted connections only"):
            psycopg.connect(server.dsn)
        with psycopg.connect(server.dsn, sslmode="require") as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_more_connections_than_allowed_are_refused_until_one_ends(tmp_path: Path):
    with serving(tmp_path, settings=PostgresSettings(max_connections=2)) as server:
        with (
            psycopg.connect(server.dsn),
            psycopg.connect(server.dsn),
            pytest.raises(psycopg.OperationalError, match="2 users are connected already"),
        ):
            psycopg.connect(server.dsn)
        server.wait_for_connections(0)
        with psycopg.connect(server.dsn, connect_timeout=10) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_user_counts_and_ceases_to_count_at_once(server: Serving):
    users = SqlUsers(server.data)  # as another process sees the file
    users.add("grace", "first-password", NOW)
    with psycopg.connect(server.dsn, user="grace", password="first-password") as connection:
        assert connection.execute("select current_user").fetchone() == ("grace",)
    users.remove("grace")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn, user="grace", password="first-password")


@pytest.mark.parametrize("name", ["", "Ada", "a b", "1st", "a" * 64, "a'b"])
def test_a_name_that_needs_quotes_is_refused(tmp_path: Path, name: str):
    with pytest.raises(RecountError, match="cannot be a name"):
        SqlUsers(tmp_path).add(name, "x", NOW)


def test_a_name_is_taken_once(tmp_path: Path):
    SqlUsers(tmp_path).add("ada", "x", NOW)
    with pytest.raises(RecountError, match="already"):
        SqlUsers(tmp_path).add("ada", "y", NOW)


def test_a_file_that_cannot_be_read_lets_nobody_in(tmp_path: Path):
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(RecountError, match="cannot be used"):
        SqlUsers(tmp_path).find("ada")


def test_a_certificate_of_ones_own_is_used(tmp_path: Path, server: Serving):
    mine = {name: tmp_path / f"mine.{name}" for name in ("crt", "key")}
    mine["crt"].write_bytes(server.certificate.read_bytes())
    mine["key"].write_bytes((server.data / KEY_NAME).read_bytes())
    settings = PostgresSettings(tls_certificate=os.fspath(mine["crt"]), tls_key=os.fspath(mine["key"]))
    other = tmp_path / "data"
    other.mkdir()
    with serving(other, settings=settings) as configured:
        assert not configured.certificate.exists()
        with psycopg.connect(configured.dsn, sslmode="verify-ca", sslrootcert=os.fspath(mine["crt"])) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
