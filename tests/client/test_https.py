"""Bytes over HTTPS, against real servers on loopback: whom we believe, what we wait for, what we let in."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.client.https import Https, fetch_root, own_trust, reachable
from sync.client.line import whole
from sync.protocol import codec, messages
from sync.protocol.errors import Problem
from sync.protocol.messages import Trouble
from sync.protocol.strict import DOCUMENT_MAX
from tests.client.servers import Authority, Behaviour, Server, Talk, always, answer, serving

OURS, EVIL = Authority(), Authority()
OK = always(answer(b"hello"))
PAGE = b"<html><body>Please sign in to the hotel network</body></html>"


@pytest.fixture
def ours(tmp_path: Path) -> ssl.SSLContext:
    """The TLS context of the organisation's server."""
    return OURS.context(tmp_path)


@pytest.fixture
def evil(tmp_path: Path) -> ssl.SSLContext:
    """A certificate for the right host, from an authority that is not ours."""
    return EVIL.context(tmp_path)


def _line(server: Server, *, total_s: float = 10.0, trust: ssl.SSLContext | None = None) -> Https:
    return Https(server.url, trust or own_trust([OURS.pem]), total_s=total_s)


def _get(behaviour: Behaviour, context: ssl.SSLContext, *, total_s: float = 10.0) -> bytes:
    with serving(behaviour, context) as server:
        line = _line(server, total_s=total_s)
        try:
            return line.get("/x")
        finally:
            line.close()


# --- whom we believe --------------------------------------------------------------------------


def test_our_server_is_asked_and_answers(ours: ssl.SSLContext) -> None:
    with serving(OK, ours) as server:
        line = _line(server)
        assert line.get("/v1/root") == b"hello"
        assert line.post("/v1/exchange?a=1", b"body", {"Fieldkeep-Counter": "5"}, "text/x") == b"hello"
        assert len(server.connections) == 1  # kept alive
        line.close()
        assert line.get("/v1/root") == b"hello"  # over a connection that is made anew
        line.close()
    first, second, _third = server.asked
    assert (first.method, first.target, first.body) == ("GET", "/v1/root", b"")
    assert (second.method, second.target, second.body) == ("POST", "/v1/exchange?a=1", b"body")
    assert second.headers["fieldkeep-counter"] == "5"
    assert second.headers["content-type"] == "text/x"
    assert second.headers["accept-encoding"] == "identity"
    assert len(server.connections) == 2


def test_a_server_of_another_authority_is_refused(evil: ssl.SSLContext) -> None:
    with pytest.raises(NotOurServer):
        _get(OK, evil)


def test_a_certificate_of_a_public_authority_is_refused(
    evil: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """urllib3 loads the system's public authorities where it is given no context; here the attacker is among them."""
    bundle = tmp_path / "public.pem"
    bundle.write_text(EVIL.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with serving(OK, evil) as server, urllib3.PoolManager() as plain:
        # The same request by the library's own means goes through: that is what is closed here.
        assert plain.request("GET", server.url, timeout=5).data == b"hello"
        with pytest.raises(NotOurServer):
            _line(server).get("/x")


def test_our_context_holds_our_authority_alone_also_after_a_request(ours: ssl.SSLContext) -> None:
    trust = own_trust([OURS.pem])
    with serving(OK, ours) as server:
        for _ in range(2):
            line = _line(server, trust=trust)
            line.get("/x")
            line.close()
    assert trust.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}


def test_both_of_two_announced_authorities_are_believed(ours: ssl.SSLContext, evil: ssl.SSLContext) -> None:
    for context in (ours, evil):
        with serving(OK, context) as server:
            line = _line(server, trust=own_trust([OURS.pem, EVIL.pem]))
            assert line.get("/x") == b"hello"
            line.close()


@pytest.mark.parametrize("host", ["127.0.0.2", "sales.example.com", "localhost"])
def test_a_certificate_for_another_host_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(NotOurServer):
        _get(OK, OURS.context(tmp_path, host=host))


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotOurServer):
        _get(OK, OURS.context(tmp_path, expired=True))


def test_tls_1_2_is_refused(ours: ssl.SSLContext) -> None:
    ours.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(NotOurServer):
        _get(OK, ours)


def test_a_server_in_clear_is_no_server_of_ours() -> None:
    with serving(OK, None) as server:
        line = Https(server.url.replace("http:", "https:"), own_trust([OURS.pem]), total_s=1)
        with pytest.raises((NotOurServer, Unreachable)):
            line.get("/x")
    assert not server.asked


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "127.0.0.1:1", "https://", "https://[::1", "https://a:b", ""]
)
def test_nothing_is_sent_in_clear_or_to_what_is_no_address(url: str) -> None:
    with pytest.raises(Unreachable):
        Https(url, own_trust([OURS.pem])).get("/x")
    assert not reachable(url, [OURS.pem])


def test_an_address_may_have_a_path_of_its_own(ours: ssl.SSLContext) -> None:
    with serving(OK, ours) as server:
        line = Https(f"{server.url}/field%20keep/", own_trust([OURS.pem]))
        assert line.get("/x?a=1") == b"hello"
        line.close()
    assert server.asked[0].target == "/field%20keep/x?a=1"


def test_nothing_is_sent_to_a_server_that_is_not_ours(evil: ssl.SSLContext) -> None:
    with serving(OK, evil) as server, pytest.raises(NotOurServer):
        _line(server).post("/v1/session", b"signed", {}, "text/x")
    assert not server.asked


# --- the environment --------------------------------------------------------------------------


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An environment that an attacker has set; gives the proxy that must not be asked."""
    bundle, netrc = tmp_path / "evil.pem", tmp_path / "netrc"
    bundle.write_text(EVIL.pem)
    netrc.write_text("machine 127.0.0.1 login eve password evil\n")
    netrc.chmod(0o600)
    with serving(always(answer(b"", status="502 Bad Gateway")), None) as proxy:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(bundle))
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
        yield proxy


def test_the_environment_changes_neither_trust_nor_route_nor_credentials(
    ours: ssl.SSLContext, hostile: Server, tmp_path: Path
) -> None:
    with serving(OK, ours) as server:
        line = _line(server)
        assert line.get("/x") == b"hello"
        line.close()
    assert not {"authorization", "proxy-authorization", "cookie"} & set(server.asked[0].headers)
    assert not hostile.connections
    assert not (tmp_path / "keys.log").exists()


def test_the_environment_makes_no_evil_server_ours(evil: ssl.SSLContext, hostile: Server) -> None:
    with pytest.raises(NotOurServer):
        _get(OK, evil)
    assert not hostile.connections


def test_fetching_a_root_heeds_no_environment(ours: ssl.SSLContext, hostile: Server, tmp_path: Path) -> None:
    with serving(OK, ours) as server:
        assert fetch_root(server.url) == b"hello"
    assert not hostile.connections
    assert not (tmp_path / "keys.log").exists()


# --- what comes between -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_a_redirect_is_not_followed(ours: ssl.SSLContext, status: str) -> None:
    with serving(OK, ours) as elsewhere:
        moved = always(answer(b"", status=status, extra=f"Location: {elsewhere.url}/x\r\n"))
        with serving(moved, ours) as server, pytest.raises(Unreachable):
            _line(server).post("/x", b"signed", {"Fieldkeep-Mac": "secret"}, "text/x")
    assert not elsewhere.connections


def test_a_page_of_a_captive_portal_is_no_answer(ours: ssl.SSLContext) -> None:
    data = _get(always(answer(PAGE, media="text/html")), ours)
    with pytest.raises(Unreachable):
        whole(data)


@pytest.mark.parametrize(
    "status",
    ["201 Created", "204 No Content", "401 No", "403 No", "404 No", "410 Gone", "500 Error", "503 Busy"],
)
def test_a_failure_that_is_not_in_our_words_is_the_network(ours: ssl.SSLContext, status: str) -> None:
    with pytest.raises(Unreachable):
        _get(always(answer(PAGE, status=status, media="text/html")), ours)


def _trouble(body: bytes, status: str = "403 Forbidden") -> Behaviour:
    return always(answer(body, status=status, media=codec.MEDIA_TYPE))


def test_a_failure_in_our_words_is_told(ours: ssl.SSLContext) -> None:
    said = Trouble(problem=Problem.GAP, expected=7, hint="Ask IT.", retry_after=3)
    with pytest.raises(ServerRefused) as caught:
        _get(_trouble(codec.encode([(messages.TROUBLE, said)])), ours)
    assert (caught.value.problem, caught.value.trouble) == (Problem.GAP, said)
    assert caught.value.title
    assert caught.value.hint == "Ask IT."


@pytest.mark.parametrize(
    "body",
    [
        b"", PAGE, codec.encode([]), codec.encode([(messages.HEAD, Trouble(problem=Problem.GAP))]),
        codec.encode([(messages.TROUBLE, {"problem": "from tomorrow"})]), codec.encode([(messages.TROUBLE, 5)]),
    ],
    ids=["nothing", "a page", "no frame", "another frame", "an unknown problem", "no struct"],
)  # fmt: skip
def test_a_failure_that_only_looks_like_our_words_is_the_network(ours: ssl.SSLContext, body: bytes) -> None:
    with pytest.raises(Unreachable):
        _get(_trouble(body), ours)


# --- sizes and times --------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [1, 4])
def test_a_body_shorter_than_it_says_is_refused(ours: ssl.SSLContext, missing: int) -> None:
    cut = answer(b"hello")[:-missing]

    def hang_up(talk: Talk) -> None:
        talk.send(cut)
        raise OSError("the line is cut")

    with pytest.raises(Unreachable):
        _get(hang_up, ours)


def test_a_chunked_body_without_its_end_is_refused(ours: ssl.SSLContext) -> None:
    def hang_up(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        raise OSError("the line is cut")

    with pytest.raises(Unreachable):
        _get(hang_up, ours)


def test_a_chunked_body_is_read(ours: ssl.SSLContext) -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    assert _get(always(data), ours) == b"hello world"


def test_a_packed_body_is_not_unpacked(ours: ssl.SSLContext) -> None:
    """Two hundred megabytes from two hundred kilobytes: urllib3 would unpack it, and we did not ask for it."""
    data = answer(b"\x1f\x8b not really", extra="Content-Encoding: gzip\r\n")
    assert _get(always(data), ours) == b"\x1f\x8b not really"


def test_a_body_larger_than_any_of_ours_is_given_up(ours: ssl.SSLContext) -> None:
    sent = []

    def pour(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not talk.over.is_set():
            talk.send(bytes(2**20))
            sent.append(2**20)

    with pytest.raises(Unreachable):
        _get(pour, ours)
    assert sum(sent) < 3 * codec.BODY_MAX


def _ended(name: str, within_s: float) -> bool:
    """Whether all threads of this name end in time."""
    ends = time.monotonic() + within_s
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(max(0.0, ends - time.monotonic()))
    return not any(thread.name == name for thread in threading.enumerate())


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_is_left_at_the_total_deadline(ours: ssl.SSLContext, where: str) -> None:
    """A byte every twentieth of a second would keep a time-out between two bytes waiting for days."""

    def drip(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\n" + (b"X: " if where == "head" else b"Content-Length: 9000\r\n\r\n"))
        while not talk.over.wait(0.05):
            talk.send(b"x")

    with serving(drip, ours) as server:
        line = _line(server, total_s=0.5)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            line.get("/x")
        assert time.monotonic() - began < 2.0
        # The thread behind it does not outlive the request either, and the next request finds a fresh line.
        assert _ended("fieldkeep-https", 5.0)
        with pytest.raises(Unreachable):
            line.get("/x")


def test_a_silent_server_is_left_at_the_total_deadline(ours: ssl.SSLContext) -> None:
    def wait(talk: Talk) -> None:
        talk.over.wait(20)

    began = time.monotonic()
    with pytest.raises(Unreachable):
        _get(wait, ours, total_s=0.5)
    assert time.monotonic() - began < 2.0


def test_a_line_goes_on_after_a_request_that_failed(ours: ssl.SSLContext) -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", answer(b"hello")])

    def one_bad(talk: Talk) -> None:
        data = next(answers)
        talk.send(data)
        if data.endswith(b"short"):
            raise OSError("the line is cut")

    with serving(one_bad, ours) as server:
        line = _line(server)
        with pytest.raises(Unreachable):
            line.get("/x")
        assert line.get("/x") == b"hello"
        line.close()


def test_nobody_there_is_unreachable() -> None:
    with serving(OK, None) as server:
        url = server.url.replace("http:", "https:")
    with pytest.raises(Unreachable) as caught:
        Https(url, own_trust([OURS.pem]), total_s=5).get("/x")
    assert "127.0.0.1" not in str(caught.value)
    with pytest.raises(Unreachable):
        Https("https://no.such.host.invalid", own_trust([OURS.pem]), total_s=5).get("/x")


# --- the root of a server not known yet -------------------------------------------------------


def test_a_root_is_fetched_from_a_server_not_known_yet(evil: ssl.SSLContext) -> None:
    with serving(OK, evil) as server:
        assert fetch_root(f"{server.url}/") == b"hello"
    assert [(asked.method, asked.target, asked.body) for asked in server.asked] == [
        ("GET", messages.ROOT_PATH, b"")
    ]


def test_a_root_larger_than_a_document_is_refused(evil: ssl.SSLContext) -> None:
    with serving(always(answer(bytes(DOCUMENT_MAX + 1))), evil) as server, pytest.raises(Unreachable):
        fetch_root(server.url)


def test_whether_the_server_answers(ours: ssl.SSLContext, evil: ssl.SSLContext) -> None:
    with serving(always(answer(b"ok\n")), ours) as server:
        assert reachable(server.url, [OURS.pem])
        assert not reachable(server.url, [EVIL.pem])
    assert server.asked[0].target == messages.HEALTH_PATH
    with serving(always(answer(PAGE)), ours) as portal:
        assert not reachable(portal.url, [OURS.pem])
    assert not reachable(server.url, [OURS.pem])
