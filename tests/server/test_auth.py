"""Nobody speaks for a device but the device, and nothing it said is said twice."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import messages, signing
from sync.protocol.errors import Problem
from sync.server import auth
from sync.server.auth import Session
from sync.server.errors import RequestProblem
from tests.server.driver import Device, Refusal, frames_of
from tests.server.inside import Inside, problem_of


def refused(device: Device, body: bytes) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        device.sign_in(body)
    return refusal.value


@pytest.mark.expected_warnings("why=signature")
def test_a_session_signed_with_another_key_is_refused(ana: Device) -> None:
    envelope = signing.open_envelope(ana.opening(key=Ed25519PrivateKey.generate()), "session")
    named = [
        signing.Signature(
            keyid=signing.keyid(signing.spki_of(ana.sign_key)), alg="ed25519", sig=envelope.signatures[0].sig
        )
    ]
    forged = signing.Envelope(type="session", payload=envelope.payload, signatures=named)
    assert refused(ana, forged.to_bytes()).trouble.problem is Problem.UNSIGNED


def test_an_unknown_key_is_an_unknown_device(ana: Device) -> None:
    said = refused(ana, ana.opening(key=Ed25519PrivateKey.generate()))
    assert (said.status, said.trouble.problem) == (403, Problem.UNKNOWN_DEVICE)


@pytest.mark.expected_warnings("another_device")
def test_a_device_opens_no_session_for_another(inside: Inside, ana: Device) -> None:
    bo = inside.device(inside.person("bo@example.com"))
    assert refused(ana, ana.opening(enrolment=bo.enrolment)).trouble.problem is Problem.UNSIGNED


@pytest.mark.parametrize("skew", [-600_000, 600_000])
def test_a_wrong_clock_is_told_the_time_and_then_let_in(inside: Inside, ana: Device, skew: int) -> None:
    inside.skew = skew
    said = refused(ana, ana.opening())
    assert said.trouble.problem is Problem.UNSIGNED
    assert abs(said.trouble.server_time - inside.now()) < 5_000
    assert ana.sign_in(ana.opening(at=said.trouble.server_time)).server_time


@pytest.mark.expected_warnings("replayed")
def test_a_recorded_sign_in_opens_nothing(ana: Device) -> None:
    body = ana.opening()
    ana.sign_in(body)
    assert refused(ana, body).trouble.problem is Problem.UNSIGNED


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"protocols": [99]}, Problem.UPGRADE),
        ({"org": "00" * 16}, Problem.UNSIGNED),
        ({"incarnation": "xyz"}, Problem.BAD_REQUEST),
        ({"incarnation": "00" * 7}, Problem.BAD_REQUEST),
    ],
)
def test_a_session_that_does_not_fit_is_refused(
    ana: Device, fields: dict[str, Any], problem: Problem
) -> None:
    assert refused(ana, ana.opening(**fields)).trouble.problem is problem


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff" * 50, b'{"type":"session"}', b"[" * 5_000])
def test_rubbish_in_place_of_a_session_is_refused(ana: Device, body: bytes) -> None:
    status, answer = ana.send("POST", messages.SESSION_PATH, body, {})
    with pytest.raises(Refusal) as refusal:
        frames_of(status, answer)
    assert refusal.value.trouble.problem is Problem.BAD_REQUEST


@pytest.mark.expected_warnings("why=replayed")
def test_a_recorded_request_is_refused(ana: Device) -> None:
    body = ana.body()
    headers = ana.headers(body)
    frames_of(*ana.send("POST", messages.EXCHANGE_PATH, body, headers))
    with pytest.raises(Refusal) as refusal:
        frames_of(*ana.send("POST", messages.EXCHANGE_PATH, body, headers))
    assert (refusal.value.status, refusal.value.trouble.problem) == (401, Problem.UNSIGNED)


@pytest.mark.expected_warnings("why=mac")
@pytest.mark.parametrize("what", ["body", "counter", "mac", "query", "session of another"])
def test_a_request_changed_on_its_way_is_refused(inside: Inside, ana: Device, what: str) -> None:
    ana.add("customer", name="Northwind")
    body = ana.body(ana.waiting)
    headers, path = ana.headers(body), messages.EXCHANGE_PATH
    if what == "body":
        body = ana.body([])
    elif what == "counter":
        headers[messages.COUNTER_HEADER] = "2"
    elif what == "mac":
        headers[messages.MAC_HEADER] = "é" * 64
    elif what == "query":
        path += "?x=1"
    else:
        bo = inside.device(inside.person("bo@example.com"))
        headers[messages.SESSION_HEADER] = bo.sign_in().session.hex()
    with pytest.raises(Refusal) as refusal:
        frames_of(*ana.send("POST", path, body, headers))
    assert refusal.value.trouble.problem is Problem.UNSIGNED
    with inside.store.read() as tx:
        assert tx.records.head() == 0


@pytest.mark.parametrize("turn", ["order", "upper", "lower"])
def test_heads_in_another_order_and_case_are_the_same_request(ana: Device, turn: str) -> None:
    """What lies in between may write them otherwise: the mac is over what they say."""
    body = ana.body()
    heads = ana.headers(body)
    if turn == "order":
        heads = dict(reversed(heads.items()))
    else:
        heads = {getattr(name, turn)(): value for name, value in heads.items()}
    assert frames_of(*ana.send("POST", messages.EXCHANGE_PATH, body, heads))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {messages.SESSION_HEADER: "zz", messages.COUNTER_HEADER: "1", messages.MAC_HEADER: ""},
        {messages.SESSION_HEADER: "00" * 16, messages.COUNTER_HEADER: "1", messages.MAC_HEADER: ""},
        {messages.SESSION_HEADER: "00" * 16, messages.COUNTER_HEADER: "one", messages.MAC_HEADER: ""},
    ],
)
def test_a_request_without_a_session_is_refused(ana: Device, headers: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        frames_of(*ana.send("POST", messages.EXCHANGE_PATH, ana.body(), headers))
    assert refusal.value.trouble.problem is Problem.UNSIGNED


def test_a_session_ends(inside: Inside, ana: Device) -> None:
    ana.exchange()
    inside.skew = auth.LIFE_MS + 1
    with pytest.raises(Refusal) as refusal:
        ana.exchange()
    assert refusal.value.trouble.problem is Problem.UNSIGNED


def session() -> Session:
    return Session(id=b"", key=b"", enrolment="", incarnation=b"", ends=0)


def test_counters_may_overtake_one_another_within_the_window() -> None:
    counting = session()
    assert [counting.count(n) for n in (1, 3, 2, 2, 3, 100, 37, 36, 37, 99)] == [
        True, True, True, False, False, True, True, False, False, True,
    ]  # fmt: skip
    fresh = session()
    assert fresh.count(10**9)
    assert not fresh.count(1)
    assert not fresh.count(10**9)


def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "SESSIONS_MAX", 3)
    sessions = auth.Sessions()
    made = [sessions.add("e", b"", 0) for _each in range(5)]
    body = b""

    def known(one: Session) -> bool:
        headers = {
            messages.SESSION_HEADER: one.id.hex(),
            messages.COUNTER_HEADER: "1",
            messages.MAC_HEADER: messages.request_mac(one.key, "POST", "/", body, 1),
        }
        try:
            sessions.authenticate(headers, "POST", "/", body, 1)
        except RequestProblem:
            return False
        return True

    assert [known(one) for one in made] == [False, False, True, True, True]
    sessions.drop("e")
    assert not known(sessions.add("other", b"", -auth.LIFE_MS))


def test_a_key_is_not_shown() -> None:
    assert "key" not in repr(session())


def test_a_device_takes_up_the_sessions_of_nobody_else(inside: Inside, ana: Device, bo: Device) -> None:
    bo.sync()
    before = [ana.sign_in() for _each in range(auth.OF_ONE + 2)]
    newest = ana.session
    bo.sync()  # without signing in anew: a refusal would be raised
    ana.sync()
    ana.session = before[0]
    with pytest.raises(Refusal) as refusal:
        ana.exchange()
    assert problem_of(refusal) is Problem.UNSIGNED
    assert newest == before[-1]
