"""What comes over the wire is bounded, refused in our own words, and leaves nothing personal in the log."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import struct
from typing import Any

import msgspec
import pytest
import zstandard

from sync.protocol import codec, messages
from sync.protocol.errors import Problem
from sync.protocol.messages import ExchangeHead, Trouble
from sync.server import limits, logs
from sync.server.errors import StoreError
from tests.server.driver import Device, Refusal, frames_of
from tests.server.inside import Inside


def signed(device: Device, body: bytes) -> tuple[int, bytes]:
    return device.send("POST", messages.EXCHANGE_PATH, body, device.headers(body))


def framed(*frames: bytes) -> bytes:
    """A body of raw frames with a true end."""
    plain = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
    end = msgspec.msgpack.encode(("end", {"count": len(frames), "sha256": hashlib.sha256(plain).digest()}))
    return zstandard.ZstdCompressor().compress(plain + struct.pack(">I", len(end)) + end)


def raw_head(device: Device) -> bytes:
    (head,) = [raw for tag, raw in codec.decode(device.body()) if tag == messages.HEAD]
    return msgspec.msgpack.encode((messages.HEAD, head))


HOSTILE = {
    "empty": lambda device: b"",
    "not zstd": lambda device: b"{}" * 100,
    "cut": lambda device: device.body()[:-7],
    "altered": lambda device: device.body()[:20] + bytes([device.body()[20] ^ 1]) + device.body()[21:],
    "bomb": lambda device: zstandard.ZstdCompressor(level=3).compress(bytes(300 * 2**20)),
    "deep": lambda device: framed(raw_head(device), b"\x92\xa2op" + b"\x91" * 200_000 + b"\x01"),
    "huge map": lambda device: framed(raw_head(device), b"\x92\xa2op\xdf\xff\xff\xff\xff"),
    "no head": lambda device: codec.encode([(messages.OP, {"n": 1})]),
    "head of another": lambda device: codec.encode([(messages.HEAD, {"incarnation": 7})]),
    "no end": lambda device: zstandard.ZstdCompressor().compress(b"\x00\x00\x00\x01\xc0"),
    "op without a number": lambda device: framed(raw_head(device), msgspec.msgpack.encode(("op", {"x": 1}))),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_is_refused_and_the_next_one_is_served(inside: Inside, ana: Device, what: str) -> None:
    ana.sync()
    with pytest.raises(Refusal) as refusal:
        frames_of(*signed(ana, HOSTILE[what](ana)))  # type: ignore[no-untyped-call]
    assert (refusal.value.status, refusal.value.trouble.problem) == (400, Problem.BAD_REQUEST)
    ana.add("customer", name="Still here")
    assert ana.exchange().head.acked_n == 1


def test_an_entry_of_a_newer_version_is_refused_with_advice(ana: Device) -> None:
    head = ExchangeHead(
        incarnation=ana.incarnation,
        cursor=ana.cursor,
        state="active",
        nonce="n",
        lease_left_ms=0,
        policy_version=1,
        root_version=1,
        order_head=0,
    )
    with pytest.raises(Refusal) as refusal:
        frames_of(*signed(ana, codec.encode([(messages.HEAD, head), ("hologram", 1)])))
    assert (refusal.value.status, refusal.value.trouble.problem) == (426, Problem.UPGRADE)
    assert "safe" in refusal.value.trouble.hint


@pytest.mark.parametrize(
    "head",
    [
        {"incarnation": b"short"},
        {"nonce": ""},
        {"nonce": "x" * 65},
        {"unsent": -1},
        {"obeyed": {str(n): "done" for n in range(300)}},
        {"recovered": [b""] * 300},
        {"root_version": 2**60},
        {"app_version": "x" * 100},
    ],
    ids=lambda head: next(iter(head)),
)
def test_a_head_out_of_bounds_is_refused(ana: Device, head: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        ana.ask(**head)
    assert refusal.value.trouble.problem is Problem.BAD_REQUEST


@pytest.mark.parametrize("path", limits.BODY)
def test_a_body_is_read_no_further_than_it_may_be(inside: Inside, path: str) -> None:
    most = limits.BODY[path]
    status, body = inside.send("POST", path, b"", {"content-length": str(most + 1)})
    assert (status, _problem(body)) == (413, Problem.TOO_BIG)
    pieces = [bytes(2**20)] * (most // 2**20 + 2)
    status, body = inside.send_pieces(path, pieces, {})
    assert (status, _problem(body)) == (413, Problem.TOO_BIG)
    status, _body = inside.send("POST", path, b"", {"content-length": "-5"})
    assert status == 413


def test_a_body_that_dribbles_in_is_given_up(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_S", 0.2)
    status, body = inside.send_pieces(messages.SESSION_PATH, [b"{"], {"x-never-ends": "1"})
    assert (status, _problem(body)) == (400, Problem.BAD_REQUEST)


def _problem(body: bytes) -> Problem:
    ((tag, raw),) = codec.decode(body)
    assert tag == messages.TROUBLE
    return codec.read(raw, Trouble).problem


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/exchange"),
        ("POST", "/v1/root"),
        ("GET", "/v1/../etc/passwd"),
        ("POST", "/v2/x"),
    ],
)
def test_there_is_nothing_else_here(inside: Inside, method: str, path: str) -> None:
    status, body = inside.send(method, path, b"", {})
    assert (status, _problem(body)) == (404, Problem.NOT_HERE)


def test_nothing_is_cached_and_health_is_told(inside: Inside, ana: Device) -> None:
    assert inside.send("GET", messages.HEALTH_PATH, b"", {}) == (200, b"ok")
    assert inside.last_headers["cache-control"] == "no-store"
    assert inside.send("GET", messages.ROOT_PATH, b"", {})[0] == 200
    assert inside.last_headers["cache-control"] == "no-store"
    assert signed(ana, ana.body())[0] == 200
    assert inside.last_headers["cache-control"] == "no-store"
    inside.send("POST", messages.EXCHANGE_PATH, b"", {})
    assert inside.last_headers["cache-control"] == "no-store"


def test_a_crowd_is_asked_to_come_back(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING", 0)
    status, body = inside.send("GET", messages.ROOT_PATH, b"", {})
    assert (status, _problem(body)) == (503, Problem.BUSY)
    assert inside.last_headers["retry-after"] == str(limits.RETRY_S)


@pytest.mark.expected_warnings("store path=/v1/root")
def test_a_store_that_cannot_be_read_is_a_busy_server(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> bytes:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(inside.service, "root", broken)
    status, body = inside.send("GET", messages.ROOT_PATH, b"", {})
    assert (status, _problem(body)) == (503, Problem.BUSY)


@pytest.mark.expected_warnings("fault type=ZeroDivisionError at=tests.server.test_web:")
def test_a_fault_of_ours_tells_where_and_not_what(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError("ana@example.com")

    monkeypatch.setattr(inside.service, "root", broken)
    status, body = inside.send("GET", messages.ROOT_PATH, b"", {})
    assert (status, _problem(body)) == (503, Problem.BUSY)
    assert "ana@" not in caplog.text


def test_the_log_speaks_of_ids_alone(inside: Inside, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sync")
    bo = inside.device(inside.person("bo@example.com", team="Team of secrets"), "Bo's laptop")
    bo.add("customer", name="Northwind", notes="said in a lift")
    bo.op("customer", b"2" * 16, "add", {"industry": "Tea"})  # type: ignore[arg-type]
    bo.op("customer", b"1" * 16, "add", {"name": "x", "Bad 王芳": 1})  # type: ignore[arg-type]
    bo.exchange()
    inside.lock(bo)
    bo.hand_in(bo.receipt(inside.wipe(bo)))
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("sync"))
    assert bo.enrolment in ours
    for word in ("bo@", "Bo's", "secrets", "Northwind", "lift", "Tea", "王芳", "192.0.2.1", "lost"):
        assert word not in ours
    assert bo.share.hex() not in ours


def test_a_value_that_is_no_plain_word_is_left_out() -> None:
    line = logs.line("event", a=1, b="fine-word", c="ana@example.com", d="two words", e="x\ny", f="x" * 100)
    assert line == "event a=1 b=fine-word c=- d=- e=- f=-"


def test_bodies_that_dribble_in_take_the_places_of_their_own_address_alone(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WAITING", 2)
    monkeypatch.setattr(limits, "BODIES", 3)
    status, others, own = asyncio.run(_beside_slow_bodies(inside, 3))
    assert (status, others[0]) == (200, 400)  # read, and found to be no session
    assert (own[0], _problem(own[1])) == (503, Problem.BUSY)
    # They are let go with their requests.
    assert inside.send("POST", messages.SESSION_PATH, b"{}", {})[0] == 400


def test_bodies_under_way_take_so_much_memory_and_no_more(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODIES_BYTES", 10_000)
    pieces = [bytes(1_000)] * 11
    status, body = inside.send_pieces(messages.SEALED_PATH, pieces, {})
    assert (status, _problem(body)) == (503, Problem.BUSY)
    assert inside.send_pieces(messages.SEALED_PATH, pieces[:9], {})[0] == 400


async def _beside_slow_bodies(inside: Inside, count: int) -> tuple[int, tuple[int, bytes], tuple[int, bytes]]:
    """What a stranger without a body, somebody of another address and one of theirs are answered beside slow bodies."""
    slow = [
        asyncio.create_task(inside.call("POST", messages.RECEIPT_PATH, [b"x"], {"x-never-ends": "1"}))
        for _each in range(count)
    ]
    # Tasks begin in the order in which they were made: by then each of the slow ones waits for the rest of its body.
    root, _body = await asyncio.create_task(inside.call("GET", messages.ROOT_PATH, [b""], {}))
    others = await inside.call("POST", messages.SESSION_PATH, [b"{}"], {}, address="192.0.2.2")
    own = await inside.call("POST", messages.SESSION_PATH, [b"{}"], {})
    for each in slow:
        each.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    return root, others, own
