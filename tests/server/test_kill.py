"""A server killed at any step of an exchange or of a receipt, and started again: everything once, nothing lost."""

from __future__ import annotations

import http.client
import os
import signal

import pytest

from tests.server.attached import File, get_all, put, put_all, put_body
from tests.server.driver import Device, Dial
from tests.server.running import Org


def killed_by(exchange: object) -> bool:
    """Whether the line broke while this was asked for."""
    try:
        exchange()  # type: ignore[operator]
    except (http.client.HTTPException, OSError):
        return True
    return False


@pytest.mark.parametrize(
    ("step", "times", "kept"),
    [("read", 2, False), ("applied", 2, False), ("committed", 2, True), ("answered", 2, True)],
)
def test_an_exchange_is_done_once(org: Org, dial: Dial, step: str, times: int, *, kept: bool) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    server = org.serve(step=step, times=times)
    ana = Device(dial(server.url, None), "ana")
    ana.enrol(org.code("ana@example.com"))
    ana.exchange()
    ids = [ana.add("customer", name=f"Customer {number}") for number in range(20)]
    ana.edit_unsent(ids[0], industry="Tea")
    assert killed_by(ana.exchange)
    assert server.stop() == -signal.SIGKILL
    assert len(ana.waiting) == 21
    again = org.serve()
    ana.send, ana.session = dial(again.url, None), None
    assert ana.sign_in().acked_n == (21 if kept else 0)
    reply = ana.exchange()
    assert [result.n for result in reply.results] == list(range(1, 22))
    assert {result.outcome for result in reply.results} == {"ok"}
    bo = Device(dial(again.url, None), "bo")
    bo.enrol(org.code("ana@example.com"))
    bo.sync()
    assert {bo.cells(id_)["name"] for id_ in bo.rows} == {f"Customer {number}" for number in range(20)}
    assert bo.cells(ids[0])["industry"] == "Tea"
    assert not bo.conflicts
    # The history itself says that nothing was done twice: 21 ops, 21 numbers.
    assert bo.cursor.seq == 21
    assert again.stop() == 0


@pytest.mark.parametrize(
    ("step", "kept"), [("receipt read", False), ("receipt applied", False), ("receipt committed", True)]
)
def test_a_receipt_is_stored_before_it_is_acknowledged(
    org: Org, dial: Dial, step: str, *, kept: bool
) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    server = org.serve(step=step, times=1)
    ana = Device(dial(server.url, None), "ana")
    ana.enrol(org.code("ana@example.com"))
    ana.exchange()
    ana.add("customer", name="Unsent")
    org.admin("wipe", "ana", "--reason", "lost")
    body = ana.receipt(ana.ask().paper("order").data)
    assert killed_by(lambda: ana.hand_in(body))
    assert server.stop() == -signal.SIGKILL
    (device,) = org.json("devices")  # with no server, the command opens the store itself
    assert (device["state"], device["receipt"]) == (("wiped", "verified") if kept else ("wiping", "none"))
    again = org.serve()
    ana.send = dial(again.url, None)
    assert ana.hand_in(body).stored
    (device,) = org.json("devices")
    assert (device["state"], device["receipt"]) == ("wiped", "verified")
    assert again.stop() == 0


@pytest.mark.parametrize(
    ("step", "times", "kept"),
    [
        ("blob piece read", 3, 1), ("blob piece applied", 2, 1), ("blob piece committed", 2, 2),
        ("blob piece applied", 4, 3), ("blob piece committed", 4, 4),
    ],
)  # fmt: skip
def test_a_file_comes_up_though_the_server_dies(
    org: Org, dial: Dial, step: str, times: int, kept: int
) -> None:
    """In four pieces; `kept` of them are there after the kill, and no piece that is there is sent again."""
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    server = org.serve(step=step, times=times)
    ana = Device(dial(server.url, None), "ana")
    ana.enrol(org.code("ana@example.com"))
    file = File(os.urandom(100_000))
    record, size = file.attach(ana), -(-len(file.blob) // 4)
    ana.sync()
    assert killed_by(lambda: put_all(ana, file, size))
    assert server.stop() == -signal.SIGKILL
    again = org.serve()
    ana.send = dial(again.url, None)
    reply = put(ana, put_body(ana, file, b""))
    assert (reply.held, reply.whole) == (min(kept * size, len(file.blob)), kept == 4)
    assert put_all(ana, file, size).whole
    ana.session = None
    assert get_all(ana, record, file.sha256) == file.blob
    assert again.stop() == 0


@pytest.mark.parametrize(
    ("step", "times", "kept"),
    [
        ("piece read", 3, 1), ("piece applied", 2, 1), ("piece committed", 2, 2),
        ("piece read", 6, 4), ("piece applied", 4, 3), ("piece committed", 4, 4), ("receipt applied", 1, 4),
    ],
)  # fmt: skip
def test_a_large_outbox_is_handed_in_though_the_server_dies(
    org: Org, dial: Dial, step: str, times: int, kept: int
) -> None:
    """In four pieces; `kept` of them are there after the kill, and no piece that is there is sent again."""
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    server = org.serve(step=step, times=times)
    ana = Device(dial(server.url, None), "ana")
    ana.enrol(org.code("ana@example.com"))
    ana.exchange()
    for number in range(8):
        ana.add("customer", name=f"Unsent {number}")
    org.admin("wipe", "ana", "--reason", "lost")
    order, size = ana.ask().paper("order").data, -(-len(ana.sealed) // 4)
    body = ana.receipt(order, along=False)

    def all_of_it() -> None:
        ana.hand_up_all(size)
        ana.hand_up(ana.piece(b""))
        ana.hand_in(body)

    assert killed_by(all_of_it)
    assert server.stop() == -signal.SIGKILL
    again = org.serve()
    ana.send = dial(again.url, None)
    assert ana.hand_up(ana.piece(b"")).held == min(kept * size, len(ana.sealed))
    all_of_it()
    (device,) = org.json("devices")
    assert (device["state"], device["receipt"], device["outbox_records"]) == ("wiped", "verified", 8)
    heir = Device(dial(again.url, None), "heir")
    heir.enrol(org.code("ana@example.com"))
    assert org.json("recover", "ana", "--to", "heir")["handed_over"] == 8
    assert again.stop() == 0
