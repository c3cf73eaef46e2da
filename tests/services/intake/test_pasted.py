"""What docs/senders.md tells people to paste works as it stands there."""

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import playwright

from events.receipt import Receipt
from services.intake.adapters import adapters
from services.intake.signal import Signal
from tests.services.intake.stack import Stack

DOCS = Path(__file__).resolve().parents[3] / "docs" / "senders.md"
# The browser tests bring one along.
NODE = Path(playwright.__file__).parent / "driver" / "node"

# What Zabbix gives to a script: the parameters as `value`, and HttpRequest. What was asked is printed; the answer is
# what the test says.
ZABBIX = """
const asked = {headers: []};
class HttpRequest {
  addHeader(line) { asked.headers.push(line); }
  post(url, body) { asked.url = url; asked.body = body; return 'said'; }
  getStatus() { return STATUS; }
}
const script = new Function('value', 'HttpRequest', SCRIPT);
try { asked.returned = script(VALUE, HttpRequest); } catch (error) { asked.thrown = String(error); }
console.log(JSON.stringify(asked));
"""


def pasted(section: str, language: str) -> str:
    """The first block of a language in a section."""
    text = DOCS.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"{section} has no {language}"
    return found[1]


def zabbix(parameters: dict[str, str], status: int = 200) -> dict[str, Any]:
    program = (
        ZABBIX.replace("STATUS", str(status))
        .replace("SCRIPT", json.dumps(pasted("Zabbix", "javascript")))
        .replace("VALUE", json.dumps(json.dumps(parameters)))
    )
    done = subprocess.run([NODE, "-e", program], capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_the_script_for_zabbix_posts_what_the_adapter_reads(intake: Stack):
    table = pasted_parameters()
    shown = {
        "{EVENT.ID}": "4011",
        "{EVENT.VALUE}": "1",
        "{EVENT.NAME}": "Disk is full",
        "{EVENT.NSEVERITY}": "4",
        "{TRIGGER.ID}": "13491",
        "{$ZABBIX.URL}": "https://zabbix.example.org/",
    }
    parameters = {name: shown.get(value, value) for name, value in table.items()}
    parameters |= {"recount_url": intake.url + "/", "recount_key": intake.secrets["zabbix"]}
    asked = await asyncio.to_thread(zabbix, parameters)
    assert asked["returned"] == "OK"
    headers = dict(line.split(": ", 1) for line in asked["headers"])
    answer = await intake.http.post(asked["url"], content=asked["body"], headers=headers)
    assert answer.status_code == 200, answer.text
    (fired,) = await intake.said("AlertFired")
    assert (fired.title, fired.severity) == ("Disk is full", "error")
    assert fired.url == "https://zabbix.example.org/tr_events.php?triggerid=13491&eventid=4011"
    assert not any("{" in text for text in fired.labels.values()), "what Zabbix did not expand says nothing"
    assert "Recount answered 503: said" in (await asyncio.to_thread(zabbix, parameters, 503))["thrown"]


def pasted_parameters() -> dict[str, str]:
    """The table of parameters of the media type."""
    text = DOCS.read_text().partition("\n## Zabbix\n")[2].partition("\n## ")[0]
    found = re.findall(r"\| `([a-z_]+)` \| (?:`([^`]+)`|the key) (?=\|)", text)
    assert len(found) > 20
    return dict(found)


async def test_the_script_for_wazuh_delivers_and_keeps_what_it_cannot(intake: Stack, tmp_path: Path):
    script, spool, alert = tmp_path / "custom-recount", tmp_path / "spool", tmp_path / "alert.json"
    script.write_text(pasted("Wazuh", "python"))
    payload = Path(__file__).parents[2] / "adapters" / "wazuh" / "web_scan.payload"
    alert.write_bytes(payload.read_bytes())

    async def run(*arguments: str) -> int:
        environment = {**os.environ, "RECOUNT_SPOOL": str(spool)}
        process = await asyncio.create_subprocess_exec(sys.executable, str(script), *arguments, env=environment)
        return await asyncio.wait_for(process.wait(), 60)

    def waiting() -> int:
        return len([name for name in os.listdir(spool) if name[0] != "."])

    # Nobody listens there, so it is kept.
    assert await run(str(alert), intake.secrets["wazuh"], "http://127.0.0.1:9/hooks/wazuh") == 1
    assert waiting() == 1
    assert await run("--flush") == 1
    for kept in spool.glob("0*"):
        kept.write_text(kept.read_text().replace("http://127.0.0.1:9", intake.url))
    assert await run("--flush") == 0
    assert waiting() == 0
    (fired,) = await intake.said("AlertFired")
    assert fired.service == "shop"

    assert await run(str(alert), intake.secrets["wazuh"], f"{intake.url}/hooks/wazuh") == 0
    assert waiting() == 0
    # A key that is not accepted may be in a while.
    assert await run(str(alert), "unknown", f"{intake.url}/hooks/wazuh") == 1
    assert waiting() == 1


async def test_the_template_for_kibana_is_what_the_adapter_reads(intake: Stack):
    shown = {"rule.id": "r-1", "rule.name": "Latency", "alert.id": "checkout", "alert.actionGroup": "recovered"}
    template = pasted("Elastic (Kibana)", "json")
    for group in ("threshold_met", "recovered"):
        values = shown | {"alert.actionGroup": group, "context.serviceName": "checkout"}
        body = re.sub(r"\{\{([a-zA-Z.]+)\}\}", lambda found, values=values: values.get(found[1], ""), template)
        assert (await intake.post(intake.hook("elastic"), body)).status_code == 202
    fired, _cleared = await intake.said("AlertFired", "AlertCleared")
    assert (fired.title, fired.service, fired.severity) == ("Latency", "checkout", "error")


def test_the_example_of_a_mapping_is_one():
    mapping = pasted("JSON of any shape", "toml")
    payload = (Path(__file__).parents[2] / "adapters" / "mapped" / "pingdom.payload").read_bytes()
    receipt = Receipt(
        source="mapped", integration="key-mapped", received_at=datetime(2026, 3, 1, tzinfo=UTC), body=payload
    )
    (signal,) = adapters()["mapped"].for_mapping(mapping).translate(receipt)
    assert isinstance(signal, Signal)
    assert (signal.state, signal.title) == ("firing", "Name of HTTP check is DOWN: Short error message")


async def test_the_requests_of_plain_json_fire_an_alert_and_resolve_it(intake: Stack):
    script = pasted("Plain JSON", "sh").replace("https://recount.example.org", intake.url)
    shell = await asyncio.create_subprocess_exec(
        "sh", "-e", "-c", script.replace("<key>", intake.secrets["json"]), stdout=asyncio.subprocess.PIPE
    )
    answers, _ = await asyncio.wait_for(shell.communicate(), 20)
    assert (shell.returncode, answers.count(b'"accepted"')) == (0, 2)
    fired, _cleared = await intake.said("AlertFired", "AlertCleared")
    assert (fired.title, fired.fingerprint, fired.severity, fired.service) == (
        "backup failed",
        "backup-db1",
        "critical",
        "db",
    )
