"""The desk finds the device that is meant and no other, and signs with a key that the root names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.console import desk, keyfile, recovery
from sync.protocol.desk import DeviceView
from sync.protocol.errors import KnownError
from tests.road import DAY_MS
from tests.server.inside import Inside, nobody_asks

ONE = DeviceView(
    name="Laptop", id="01a204d5-88b0-7000-823e-fcb806beac4e", enrolment="e" * 32, person="ana@example.com",
    state="active", last_seen=0, receipt="none", unsent=0, platform="", app_version="",
)  # fmt: skip
OLD = msgspec.structs.replace(
    ONE, id="11a204d5-88b0-7000-823e-fcb806beac4e", enrolment="0" * 32, state="wiped", receipt="verified"
)
OLDER = msgspec.structs.replace(OLD, id="21a204d5-88b0-7000-823e-fcb806beac4e", enrolment="1" * 32)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    made = Inside(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("wanted", "wiped", "expected"),
    [
        ("laptop", False, ONE),
        (" Laptop ", False, ONE),
        (ONE.id, False, ONE),
        (ONE.id.replace("-", "").upper(), False, ONE),
        (OLDER.enrolment, False, OLDER),
        (OLDER.id, False, OLDER),
        (OLD.id, True, OLD),
    ],
)
def test_a_device_is_found(wanted: str, expected: DeviceView, *, wiped: bool) -> None:
    assert desk.find([OLDER, OLD, ONE], wanted, wiped=wiped) is expected


def test_a_name_means_the_wiped_device_where_one_is_asked_for_and_one_of_several_never() -> None:
    assert desk.find([OLD, ONE], "Laptop", wiped=True) is OLD
    with pytest.raises(KnownError, match="Several wiped devices"):
        desk.find([OLDER, OLD, ONE], "Laptop", wiped=True)


@pytest.mark.parametrize(
    ("wanted", "says"), [("Lapto", "no device"), ("Laptop", "wiped already"), ("", "no device")]
)
def test_a_device_that_is_not_there_is_not_guessed(wanted: str, says: str) -> None:
    with pytest.raises(KnownError, match=says):
        desk.find([OLDER, OLD], wanted)


def test_an_order_is_signed_with_a_key_that_the_root_names(inside: Inside, tmp_path: Path) -> None:
    device = inside.device(inside.person("ana@example.com"), "ana")
    strange = tmp_path / "strange"
    strange.mkdir()
    with pytest.raises(KnownError, match="no key for orders"):
        desk.order_key(inside.office, strange, nobody_asks)
    (strange / "order-0.key").write_bytes(keyfile.write("order", Ed25519PrivateKey.generate(), admin_id="me"))
    with pytest.raises(KnownError, match="no key for orders"):
        desk.order_key(inside.office, strange, nobody_asks)
    (strange / "order-9.key").write_bytes((inside.keys / "order-2.key").read_bytes())
    (order,) = desk.sign_order(inside.office, strange, nobody_asks, "wipe", inside.view(device), "lost")
    assert (order.op, order.device, order.state) == ("wipe", "ana", "filed")
    assert len(order.signers) == 1
    assert order.signers != ["server"]


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501])
def test_a_wipe_has_a_reason(inside: Inside, reason: str) -> None:
    device = inside.device(inside.person("ana@example.com"), "ana")
    with pytest.raises(KnownError, match="reason"):
        desk.sign_order(inside.office, inside.keys, nobody_asks, "wipe", inside.view(device), reason)
    assert not inside.office.orders()


def test_recovery_needs_the_recovery_key(inside: Inside, tmp_path: Path) -> None:
    device = inside.device(inside.person("ana@example.com"), "ana")
    device.add("customer", name="Unsent")
    device.hand_in(device.receipt(inside.wipe(device)))
    again = inside.device("ana@example.com", "again")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(KnownError, match="missing or damaged"):
        recovery.recover(inside.office, other, nobody_asks, inside.view(device), inside.view(again))
    (other / "recovery.key").write_bytes(keyfile.write("recovery", X25519PrivateKey.generate()))
    with pytest.raises(KnownError, match="cannot be opened"):
        recovery.recover(inside.office, other, nobody_asks, inside.view(device), inside.view(again))
    assert not [paper for paper in again.ask().papers if paper.kind == "recovered"]


def test_a_torn_end_of_the_outbox_loses_nothing_before_it(inside: Inside) -> None:
    device = inside.device(inside.person("ana@example.com"), "ana")
    device.add("customer", name="Whole")
    device.sealed += b"\x00\x00\x10\x00 torn"
    device.hand_in(device.receipt(inside.wipe(device)))
    again = inside.device("ana@example.com", "again")
    told = recovery.recover(inside.office, inside.keys, nobody_asks, inside.view(device), inside.view(again))
    assert told == (1, 1)


def test_a_wipe_is_signed_again_before_it_runs_out_and_reaches_who_comes_back_late(inside: Inside) -> None:
    """Three devices of one person; two answer, and one is away for longer than an order holds."""
    person = inside.person("ana@example.com")
    devices = [inside.device(person, f"Laptop {n}") for n in range(3)]
    for device in devices:
        inside.wipe(device)
    for device in devices[:2]:
        device.hand_in(device.receipt(device.ask().paper("order").data))
    late = devices[2]

    def stands() -> bool:
        return desk.standing_wipe(late.enrolment, inside.office.orders(), inside.now()) is not None

    inside.skew = 149 * DAY_MS
    assert stands()
    inside.skew = 151 * DAY_MS
    assert not stands()
    inside.wipe(late)  # signed again while the first still holds
    assert stands()
    inside.skew = 200 * DAY_MS
    assert inside.view(late).state == "wiping"
    late.session = None
    late.now = inside.now
    late.sign_in()
    orders = [paper.data for paper in late.ask().papers if paper.kind == "order"]
    assert orders == [inside.order_envelope(late)]
    late.hand_in(late.receipt(orders[0]))
    assert inside.view(late).state == "wiped"
    assert [each.state for each in inside.office.orders()] == ["done", "done", "expired", "done"]


def test_where_the_order_has_run_out_the_device_stays_shut_until_another_is_signed(inside: Inside) -> None:
    late = inside.device(inside.person("ana@example.com"))
    inside.wipe(late)
    inside.skew = 181 * DAY_MS
    assert desk.standing_wipe(late.enrolment, inside.office.orders(), inside.now()) is None
    late.session, late.now = None, inside.now
    late.sign_in()
    assert [
        paper.kind for paper in late.ask(ask_share=True).papers if paper.kind in ("order", "share", "lease")
    ] == []
    inside.wipe(late)
    assert [paper.kind for paper in late.ask().papers if paper.kind == "order"] == ["order"]
