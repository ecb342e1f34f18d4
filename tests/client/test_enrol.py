"""How a device is let in over real TLS: the root by its digest, and then only by it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.client import enrol
from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.protocol import codec, documents, messages, signing
from sync.protocol.codes import EnrolCode
from sync.protocol.documents import Enrolment, Root
from sync.protocol.errors import Problem, Refused
from sync.protocol.messages import EnrolReply, Person, Trouble
from tests.client import servers
from tests.client.servers import always, answer, serving
from tests.protocol import authority

OURS, EVIL = servers.Authority(), servers.Authority()
ORG = authority.Authority()
ROOT = ORG.root(tls_ca=[OURS.pem])
ENVELOPE = signing.sign(ROOT, ("", ORG.root_key)).to_bytes()
REPLY = EnrolReply(
    enrolment=authority.LAPTOP, person=Person(id=b"p" * 16, email="ann@example.com", role="rep", team="North"),
    org_name="Example", root=b"r", policy=b"p", lease=b"l", server_time=authority.NOW,
)  # fmt: skip


@pytest.fixture
def ours(tmp_path: Path) -> ssl.SSLContext:
    """The TLS context of the organisation's server."""
    return OURS.context(tmp_path)


def _code(url: str, root: Root = ROOT) -> EnrolCode:
    return EnrolCode(url, documents.digest(root.to_bytes()), bytes(16))


def _wish() -> signing.Envelope:
    key = Ed25519PrivateKey.generate()
    return signing.sign(
        Enrolment(
            code="00" * 16, device="33" * 16, name="laptop", spki=signing.spki_of(key), sealing_key=bytes(32),
            share=bytes(32), share_sealed=b"s", platform="linux", app_version="0.1.0", nonce="ab", at=authority.NOW,
        ),
        ("", key),
    )  # fmt: skip


def test_the_root_of_the_code_is_believed_whoever_carried_it(tmp_path: Path) -> None:
    """The certificate is in the root: before that, any server may hand it over."""
    for context in (OURS.context(tmp_path), EVIL.context(tmp_path)):
        with serving(always(answer(ENVELOPE)), context) as server:
            assert enrol.root_of(_code(server.url), authority.NOW) == (ROOT, ENVELOPE)


def test_a_root_that_the_code_does_not_name_is_refused(ours: ssl.SSLContext) -> None:
    evil = ORG.root(tls_ca=[EVIL.pem])
    data = signing.sign(evil, ("", ORG.root_key)).to_bytes()
    with serving(always(answer(data)), ours) as server, pytest.raises(Refused) as caught:
        enrol.root_of(_code(server.url), authority.NOW)
    assert caught.value.rule == "root_hash"


@pytest.mark.parametrize("data", [b"", b"<html>Please sign in</html>", ENVELOPE[:-1], b"{}"])
def test_what_is_no_root_is_refused(ours: ssl.SSLContext, data: bytes) -> None:
    with serving(always(answer(data)), ours) as server, pytest.raises(Refused):
        enrol.root_of(_code(server.url), authority.NOW)


def test_a_device_is_let_in(ours: ssl.SSLContext) -> None:
    wish = _wish()
    with serving(always(answer(codec.encode([(messages.HEAD, REPLY)]))), ours) as server:
        assert enrol.enrol(server.url, ROOT, wish) == REPLY
    [asked] = server.asked
    assert (asked.method, asked.target, asked.body) == ("POST", messages.ENROL_PATH, wish.to_bytes())
    assert asked.headers["content-type"] == "application/json"


def test_a_wish_goes_to_no_server_but_that_of_the_root(tmp_path: Path) -> None:
    with serving(always(answer(b"")), EVIL.context(tmp_path)) as server, pytest.raises(NotOurServer):
        enrol.enrol(server.url, ROOT, _wish())
    assert not server.asked


def test_a_used_code_is_told_in_the_servers_words(ours: ssl.SSLContext) -> None:
    said = codec.encode([(messages.TROUBLE, Trouble(problem=Problem.BAD_CODE, title="This code was used."))])
    refused = answer(said, status="403 Forbidden", media=codec.MEDIA_TYPE)
    with serving(always(refused), ours) as server, pytest.raises(ServerRefused) as caught:
        enrol.enrol(server.url, ROOT, _wish())
    assert (caught.value.problem, caught.value.title) == (Problem.BAD_CODE, "This code was used.")


@pytest.mark.parametrize("body", [b"", b"<html></html>", codec.encode([(messages.HEAD, {"enrolment": 5})])])
def test_an_answer_that_is_none_is_the_network(ours: ssl.SSLContext, body: bytes) -> None:
    with serving(always(answer(body)), ours) as server, pytest.raises(Unreachable):
        enrol.enrol(server.url, ROOT, _wish())
