"""Telling a key what its sender signs with, over HTTP."""

import msgspec

from services.signing_secrets import FILE_NAME, SigningSecrets
from tests.services.web.stack import Stack

# Sentry's client secrets are 64 hex digits.
CLIENT_SECRET = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_a_signing_secret_is_kept_beside_the_log(recount: Stack):
    with recount.client() as admin:
        made = admin.post("/api/keys", json={"sender": "sentry"}).json()
        path = f"/api/keys/{made['key_id']}/signing-secret"
        done = admin.post(path, json={"secret": CLIENT_SECRET}).json()
        assert done["message"] == f"What comes with {made['key_id']} is accepted with a signature only."
        (kept,) = [
            one
            for one in msgspec.json.decode((recount.data / FILE_NAME).read_bytes())
            if one["key_id"] == made["key_id"]
        ]
        assert SigningSecrets(recount.data).get(kept["id"]) == CLIENT_SECRET
        # Telling it again changes nothing.
        assert admin.post(path, json={"secret": CLIENT_SECRET}).json()["seq"] == 0
        rows = admin.get("/api/keys", params={"min_position": done["seq"]}).json()["keys"]
        assert {row["key_id"]: row["is_signed"] for row in rows}[made["key_id"]] is True
        assert CLIENT_SECRET not in str(rows)
        undone = admin.delete(path).json()
        assert undone["message"] == f"What comes with {made['key_id']} is accepted without a signature."
        rows = admin.get("/api/keys", params={"min_position": undone["seq"]}).json()["keys"]
        assert {row["key_id"]: row["is_signed"] for row in rows}[made["key_id"]] is False


def test_a_signing_secret_that_cannot_be_used_is_refused(recount: Stack):
    with recount.client() as admin:
        made = admin.post("/api/keys", json={"sender": "pagerduty"}).json()["key_id"]
        short = admin.post(f"/api/keys/{made}/signing-secret", json={"secret": "short"})
        assert short.status_code == 400
        for key_id, status in (("key-nobody", 404), (made, 400)):
            answer = admin.post(f"/api/keys/{key_id}/signing-secret", json={"secret": CLIENT_SECRET})
            assert answer.status_code == status, answer.text
            assert answer.json()["because"]
            assert CLIENT_SECRET not in answer.text
        kept = (recount.data / FILE_NAME).read_text() if (recount.data / FILE_NAME).exists() else ""
        assert made not in kept
        assert "key-nobody" not in kept
    anybody = recount.client(token="nobody")
    assert anybody.post("/api/keys/key-pagerduty/signing-secret", json={"secret": CLIENT_SECRET}).status_code == 401


def test_a_request_that_cannot_be_used_says_which_field_is_wrong_and_where_to_look(recount: Stack):
    with recount.client() as admin:
        made = admin.post("/api/keys", json={"sender": "sentry", "name": "short"}).json()
        refused = admin.post(f"/api/keys/{made['key_id']}/signing-secret", json={"secret": "short"})
    assert refused.status_code == 400
    told = refused.json()
    assert told["error"] == "The request cannot be used"
    assert told["because"].startswith("secret: expected str of length >= ")
    assert "/api/openapi.json" in told["instead"]
