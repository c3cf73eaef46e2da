"""recount.toml: everything is optional, and whatever is wrong is told with file, key and what is expected."""

from datetime import datetime
from pathlib import Path

import pytest

from events.alert import ALERT_SEVERITIES
from events.errors import BadConfiguration
from services.settings import (
    DEFAULT_SEVERITY,
    Settings,
    SmtpSettings,
    find_file,
    load_settings,
    parse_settings,
)

ROOT = Path(__file__).resolve().parents[2]

PEOPLE = """
[people.ada]
name = "Ada Lovelace"
[people.bob]
name = "Bob Kahn"
"""


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('tls_certificate = "a.pem"', r"mail\.tls_key: expected beside mail\.tls_certificate"),
        ("require_tls = true", r"mail\.require_tls: expected only with mail\.tls_certificate"),
    ],
)
def test_mail_is_encrypted_with_a_certificate_and_its_key(setting: str, said: str):
    with pytest.raises(BadConfiguration, match=said):
        parse_settings(f"[mail]\n{setting}", "recount.toml")


def test_an_empty_file_is_a_configuration():
    settings = parse_settings("", "recount.toml")
    assert settings == Settings(file="recount.toml")
    assert settings.grouping.severity == DEFAULT_SEVERITY


def test_the_example_is_one():
    settings = parse_settings((ROOT / "recount.example.toml").read_text(), "recount.example.toml")
    assert set(settings.people) == {"ada", "bob", "grace"}
    assert settings.rotations["primary"].starts_at == datetime(2026, 1, 5, 9)
    assert settings.smtp == SmtpSettings(sender="recount@example.org")


def test_severities_that_are_left_out_keep_their_default():
    settings = parse_settings('[grouping]\nseverity = { warning = "sev1" }', "recount.toml")
    assert settings.grouping.severity == DEFAULT_SEVERITY | {"warning": "sev1"}


def test_every_severity_of_an_alert_has_one_of_an_incident():
    assert set(DEFAULT_SEVERITY) == set(ALERT_SEVERITIES)


def test_who_is_woken_and_which_hosts_may_be_called_can_be_set():
    settings = parse_settings('[paging]\nseverity = "sev2"\n[channels]\nallow = ["ntfy"]\n', "recount.toml")
    assert (settings.paging.severity, settings.channels.allow) == ("sev2", ("ntfy",))
    with pytest.raises(BadConfiguration, match=r"recount\.toml: paging\.severity: invalid enum value 'sev9'"):
        parse_settings('[paging]\nseverity = "sev9"\n', "recount.toml")


def rotation(**changed: str) -> str:
    lines = {
        "zone": '"Europe/London"',
        "starts_at": "2026-01-05T09:00:00",
        "shift_days": "7",
        "members": '["ada", "bob"]',
    } | changed
    return f"{PEOPLE}[rotations.primary]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items())


def level(targets: str, answer_within_s: int = 300) -> str:
    return (
        rotation()
        + f"\n[policies.default]\nlevels = [{{ targets = [{targets}], answer_within_s = {answer_within_s} }}]"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('publik_url = "x"', "publik_url: unknown setting; did you mean public_url?"),
        ("public_url = 7", "public_url: expected str, got int"),
        ("checkout = 1", "checkout: unknown setting; expected one of public_url, people"),
        ("people = 7", "people: expected tables such as [people.name]"),
        ('[people.ada]\nnam = "Ada"', "people.ada.nam: unknown setting; did you mean name?"),
        ('[people.ada]\nzone = "UTC"', "people.ada: object missing required field name"),
        ('[people."ada lovelace"]\nname = "Ada"', "people.ada lovelace: a name has 1 to 64 of A-Z a-z 0-9 _ -"),
        ('[people.ada]\nname = "Ada"\nzone = "London"', "people.ada.zone: expected an IANA time zone"),
        ('[people.ada]\nname = "Ada"\nzone = "../etc"', "people.ada.zone: expected an IANA time zone"),
        (
            '[people.ada]\nname = "Ada"\ncontacts = ["ada@example.org"]',
            "people.ada.contacts[0]: expected <channel>:<address> such as smtp:ada@example.org, got 'ada@example.org'",
        ),
        (rotation(shift_days='"a week"'), "rotations.primary.shift_days: expected int, got str"),
        (rotation(shift_days="0"), "rotations.primary.shift_days: expected at least 1, got 0"),
        (rotation(members="[]"), "rotations.primary.members: expected at least one handle"),
        (
            rotation(members='["ada", "mallory"]'),
            "rotations.primary.members[1]: there is no person 'mallory'; expected one of ada, bob",
        ),
        (rotation(starts_at='"monday"'), "rotations.primary.starts_at: invalid RFC3339 encoded datetime"),
        (
            level('"rotation.secondary"'),
            "policies.default.levels[0].targets: there is no rotation 'secondary'; expected one of primary",
        ),
        (level('"person.mallory"'), "policies.default.levels[0].targets: there is no person 'mallory'"),
        (level('"ada"'), "policies.default.levels[0].targets: expected rotation.<id> or person.<handle>, got 'ada'"),
        (level(""), "policies.default.levels[0].targets: expected at least one target"),
        (level('"person.ada"', 0), "policies.default.levels[0].answer_within_s: expected at least 1 second, got 0"),
        ("[policies.default]\nlevels = []", "policies.default.levels: expected at least one level"),
        (
            '[policies.default]\nlevels = [{ targets = ["person.ada"], within = 3 }]',
            "policies.default.levels[0]: object contains unknown field within",
        ),
        (
            '[policies.default]\nlevels = [{ targets = ["person.ada"], answer_within_s = "soon" }]',
            "policies.default.levels[0].answer_within_s: expected int, got str",
        ),
        (level('"person.ada"') + "\nrepeat = -1", "policies.default.repeat: expected 0 or more, got -1"),
        ('[grouping]\nopens_at = "bad"', "grouping.opens_at: invalid enum value 'bad'"),
        ('[smtp]\nhots = "mail"', "smtp.hots: unknown setting; did you mean host?"),
        (
            '[people.ada]\nname = "Ada"\ncontacts = ["console:", "smtp:ada@example.org\\r\\nBcc: mallory@example.org"]',
            "people.ada.contacts[1]: expected no control characters",
        ),
        ("[log]\nbytes_max = 0", "log.bytes_max: expected a number of bytes above 0, or -1 for no limit, got 0"),
        ("[log]\nbytes_max = -2", "log.bytes_max: expected a number of bytes above 0, or -1 for no limit, got -2"),
        ("[log]\nreplicas = 2", "log.replicas: expected 1, 3 or 5, got 2"),
        ("[people", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_key_and_what_is_expected(text: str, told: str):
    with pytest.raises(BadConfiguration) as caught:
        parse_settings(text, "/etc/recount.toml")
    message = str(caught.value)
    assert message.startswith("/etc/recount.toml")
    assert told in message
    assert caught.value.hint == "recount.example.toml shows every setting."


def test_the_file_of_the_data_folder_counts_before_that_of_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here, data = tmp_path / "here", tmp_path / "data"
    for folder in (here, data):
        folder.mkdir()
    monkeypatch.chdir(here)
    assert find_file(data, {}) is None
    (here / "recount.toml").touch()
    assert find_file(data, {}) == Path("recount.toml")
    (data / "recount.toml").touch()
    assert find_file(data, {}) == data / "recount.toml"


def test_a_named_file_must_exist(tmp_path: Path):
    with pytest.raises(BadConfiguration, match=r"RECOUNT_CONFIG names .*/none\.toml, which is not a file"):
        load_settings(tmp_path, {"RECOUNT_CONFIG": str(tmp_path / "none.toml")})


def test_a_file_that_is_not_utf_8_is_named_with_the_byte(tmp_path: Path):
    (tmp_path / "recount.toml").write_bytes('[people.bob]\nname = "Böb"'.encode("latin-1"))
    with pytest.raises(BadConfiguration, match=r"/recount\.toml is not UTF-8: byte 22 is 0xf6"):
        load_settings(tmp_path, {})


def test_the_environment_counts_before_the_file(tmp_path: Path):
    (tmp_path / "recount.toml").write_text('public_url = "http://a.example.org"\n[smtp]\npassword = "old"')
    settings = load_settings(
        tmp_path,
        {
            "RECOUNT_PUBLIC_URL": "https://recount.example.org/",
            "RECOUNT_NATS_URL": "nats://log.example.org:4222",
            "RECOUNT_SMTP_PASSWORD": "new",
        },
    )
    assert settings.public_url == "https://recount.example.org"
    assert settings.nats_url == "nats://log.example.org:4222"
    assert settings.smtp is not None
    assert settings.smtp.password == "new"


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ('tls_key = "a.pem"', r"postgres\.tls_key: expected beside postgres\.tls_certificate"),
        ("max_connections = 0", r"postgres\.max_connections: expected 1 to 1000, got 0"),
        ("statement_timeout_s = 0", r"postgres\.statement_timeout_s: expected up to 3600 seconds, got 0"),
        ("statement_timeout_s = 1e9", r"postgres\.statement_timeout_s: expected up to 3600 seconds, got 1e\+09"),
        ("port = 5432", r"postgres\.port: unknown setting"),
    ],
)
def test_sql_for_bi_tools_is_configured_in_bounds(setting: str, problem: str):
    with pytest.raises(BadConfiguration, match=problem):
        parse_settings(f"[postgres]\n{setting}", "recount.toml")
