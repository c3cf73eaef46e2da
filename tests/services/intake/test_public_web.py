"""What a payload makes us fetch comes from the public Internet, or not at all."""

import ssl
from pathlib import Path

import pytest

from services.intake.certificates import Certificates
from services.intake.public_web import DOCUMENT_BYTES_MAX, NotFetched, PublicWeb, Unreachable, is_public, resolve
from tests.services.intake.sns_sender import CERTIFICATE_PATH, HOST, sns

URL = f"https://{HOST}{CERTIFICATE_PATH}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",  # metadata of every cloud
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
    ],
)
def test_an_address_of_our_own_is_not_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["52.94.36.7", "2600:1f18::1", "::ffff:52.94.36.7"])
def test_an_address_of_the_internet_is_public(address: str):
    assert is_public(address)


async def test_a_name_of_our_own_network_is_not_called():
    web = PublicWeb()
    with pytest.raises(NotFetched, match=r"localhost resolves to .*, which is not a public address"):
        await web.get("https://localhost/latest/meta-data")
    assert await resolve("localhost")


async def test_one_address_of_ours_among_public_ones_is_enough():
    async def both(_host: str) -> list[tuple[str, int]]:
        return [("52.94.36.7", 443), ("169.254.169.254", 443)]

    with pytest.raises(NotFetched, match=r"169\.254\.169\.254"):
        await PublicWeb(resolve=both).get(URL)


async def test_only_https_is_spoken():
    with pytest.raises(NotFetched, match="http is not https"):
        await PublicWeb().get(f"http://{HOST}/")


async def test_a_document_is_fetched_from_the_address_that_was_checked(tmp_path: Path):
    checked: list[str] = []

    def is_allowed(address: str) -> bool:
        checked.append(address)
        return True

    async with sns(tmp_path, is_allowed=is_allowed) as server:
        assert (await server.web.get(URL)).startswith(b"-----BEGIN CERTIFICATE-----")
        assert checked == ["127.0.0.1"]
        assert server.asked == [CERTIFICATE_PATH]


async def test_another_servers_certificate_is_not_believed(tmp_path: Path):
    async with sns(tmp_path) as server:
        with pytest.raises(Unreachable, match="certificate"):
            await server.web.get(f"https://sns.us-east-1.amazonaws.com{CERTIFICATE_PATH}")
        stranger = PublicWeb(
            tls=ssl.create_default_context(), resolve=server.web._resolve, is_allowed=lambda _address: True
        )
        with pytest.raises(Unreachable, match="certificate"):
            await stranger.get(URL)
    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(tmp_path: Path, status: int):
    async with sns(tmp_path) as server:
        server.answers[CERTIFICATE_PATH] = (status, b"", "https://169.254.169.254/latest/meta-data")
        with pytest.raises(NotFetched, match="redirects elsewhere, which is not followed"):
            await server.web.get(URL)
        assert server.asked == [CERTIFICATE_PATH]


async def test_an_answer_without_end_is_cut_off(tmp_path: Path):
    async with sns(tmp_path) as server:
        server.answers[CERTIFICATE_PATH] = (200, b"a" * (DOCUMENT_BYTES_MAX + 1), "")
        with pytest.raises(NotFetched, match="more than"):
            await server.web.get(URL)


async def test_troubles_that_pass_are_told_from_those_that_stay(tmp_path: Path):
    async with sns(tmp_path) as server:
        server.answers[CERTIFICATE_PATH] = (503, b"", "")
        with pytest.raises(Unreachable, match="answered 503"):
            await server.web.get(URL)
        server.answers[CERTIFICATE_PATH] = (403, b"", "")
        with pytest.raises(NotFetched, match="answered 403"):
            await server.web.get(URL)


async def test_a_certificate_is_fetched_once(tmp_path: Path):
    async with sns(tmp_path) as server:
        certificates = Certificates(server.web)
        first = await certificates.get(URL)
        assert await certificates.get(URL) == first
        assert server.asked == [CERTIFICATE_PATH]


async def test_a_certificate_that_did_not_come_is_asked_for_again(tmp_path: Path):
    async with sns(tmp_path) as server:
        whole = server.answers[CERTIFICATE_PATH]
        server.answers[CERTIFICATE_PATH] = (503, b"", "")
        certificates = Certificates(server.web)
        with pytest.raises(Unreachable):
            await certificates.get(URL)
        server.answers[CERTIFICATE_PATH] = whole
        assert await certificates.get(URL) == whole[1]
