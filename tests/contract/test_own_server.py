"""The server that tests start is their own."""

from pathlib import Path

from tests.nats_process import NatsProcess


def test_a_server_whose_port_was_taken_meanwhile_listens_at_another(tmp_path: Path):
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    one, other = map(NatsProcess, folders)
    try:
        one.start()
        other._listen_at(one.port)
        other.start()
        assert other.url != one.url
    finally:
        one.remove()
        other.remove()
