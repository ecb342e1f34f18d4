"""A wipe that waits for its time: the person is told, an admin calls it off, and only before it has begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services import wipe
from app.services.opening import open_session
from sync.console import keyfile, root_desk
from sync.protocol import signing
from sync.protocol.documents import Policy, Root
from sync.protocol.errors import Refused
from sync.server import config, post
from tests.road import ANNA, Laptop, Town, now_ms
from tests.server.inside import Inside, nobody_asks
from tests.server.orders import accepted, at_rest, order, signed
from tests.services.desk import Desk

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """An organisation in which every wipe waits for an hour."""
    made = Town(tmp_path_factory.mktemp("slow"))
    made.settle()
    made.admin("root", "rule", "--delay", "60")
    yield made
    assert made.server.stop() == 0


def waiting(slow: Town) -> Laptop:
    """A laptop that has its order and waits."""
    laptop = slow.laptop(ANNA)
    laptop.add("customer", name="Northwind")
    laptop.ask("sync")
    slow.order("wipe", laptop)
    assert laptop.ask("sync").code == 0
    return laptop


def test_the_person_is_told_and_the_wipe_comes_at_its_time(slow: Town) -> None:
    laptop = waiting(slow)
    said = laptop.json("status")["warning"]
    assert "has ordered this device to be wiped at" in said
    assert "stolen" in said
    assert laptop.ask("list", "customer").code == 0
    assert laptop.later("list", "customer", wall_ms=HOUR_MS // 2, boot_ms=HOUR_MS // 2).code == 0
    assert laptop.later("list", "customer", wall_ms=2 * HOUR_MS, boot_ms=2 * HOUR_MS).code == 4
    assert "store.db" not in laptop.files()


def test_called_off_before_it_began_nothing_is_wiped(slow: Town) -> None:
    laptop = waiting(slow)
    told = slow.ask("cancel", laptop.id, "--reason", "found again")
    assert (told.code, "cancel" in told.out) == (0, True), told.err
    assert slow.device(laptop)["state"] == "wiping"  # until the device has heard of it
    assert laptop.ask("sync").code == 0
    assert laptop.ask("sync").code == 0
    assert laptop.json("status")["warning"] is None
    assert slow.device(laptop)["state"] == "active"
    states = {each["op"]: each["state"] for each in slow.admin("orders") if each["device"] == laptop.name}
    assert states == {"wipe": "cancelled", "cancel": "done"}
    laptop.add("customer", name="Southwind")
    assert laptop.ask("sync").code == 0
    assert slow.ask("cancel", laptop.id).code == 1  # nothing waits any more
    slow.order("wipe", laptop)  # and another one can be ordered
    assert laptop.ask("sync").code == 0
    assert "to be wiped at" in laptop.json("status")["warning"]
    slow.admin("cancel", laptop.id)
    assert laptop.ask("sync").code == 0
    assert laptop.later("list", "customer", wall_ms=3 * HOUR_MS, boot_ms=3 * HOUR_MS).code == 0


def test_called_off_before_the_device_had_heard_of_it_no_wipe_is_shown_to_it(slow: Town) -> None:
    laptop = slow.laptop(ANNA)
    laptop.ask("sync")
    slow.order("wipe", laptop)
    slow.admin("cancel", laptop.id)
    assert laptop.ask("sync").code == 0
    assert laptop.ask("sync").code == 0
    assert laptop.json("status")["warning"] is None
    assert slow.device(laptop)["state"] == "active"
    assert laptop.later("list", "customer", wall_ms=3 * HOUR_MS, boot_ms=3 * HOUR_MS).code == 0


def test_a_wipe_called_off_unheard_can_be_ordered_again_and_comes(slow: Town) -> None:
    """The thief never connected: what was called off must not stand in the way of the next order."""
    laptop = slow.laptop(ANNA)
    laptop.ask("sync")
    slow.order("wipe", laptop)
    slow.admin("cancel", laptop.id)
    assert laptop.ask("sync").code == 0
    slow.order("wipe", laptop)
    assert slow.device(laptop)["state"] == "wiping"
    assert laptop.ask("sync").code == 0
    assert "to be wiped at" in laptop.json("status")["warning"]
    assert laptop.later("list", "customer", wall_ms=2 * HOUR_MS, boot_ms=2 * HOUR_MS).code == 4


def test_until_it_comes_the_laptop_works_like_any_other_and_says_when(slow: Town) -> None:
    laptop, other = waiting(slow), slow.laptop(ANNA)
    other.add("customer", name="Of this hour")
    other.sync()
    laptop.sync()
    assert "Of this hour" in {each["name"] for each in laptop.holds().values()}
    said = laptop.json("status")
    (order,) = [each for each in slow.admin("orders") if each["device"] == laptop.name]
    assert said["wipe_at"][:19] == order["not_before"][:19]
    told = laptop.ask("status").out
    assert f"to be wiped at: {said['wipe_at'][:16].replace('T', ' ')} UTC" in told
    assert "stolen”. What you" in told
    assert other.json("status")["wipe_at"] is None


def test_a_lock_meanwhile_closes_it_and_the_wipe_comes_all_the_same(slow: Town) -> None:
    laptop = waiting(slow)
    slow.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    assert laptop.ask("list", "customer").code == 3
    assert laptop.state() == "locked"
    laptop.later("sync", wall_ms=2 * HOUR_MS, boot_ms=2 * HOUR_MS)
    assert "store.db" not in laptop.files()


def test_called_off_too_late_it_ends_wiped_and_the_receipt_says_so(slow: Town) -> None:
    laptop = waiting(slow)
    slow.server.stop()
    assert laptop.later("list", "customer", wall_ms=2 * HOUR_MS, boot_ms=2 * HOUR_MS).code == 4
    slow.server.start()
    slow.admin("cancel", laptop.id)
    assert laptop.ask("sync").code == 4
    assert slow.device(laptop)["state"] == "wiped"
    states = {each["op"]: each["state"] for each in slow.admin("orders") if each["device"] == laptop.name}
    assert states == {"wipe": "done", "cancel": "too late"}


def test_a_wipe_that_is_dated_back_waits_at_the_server_and_can_be_called_off(tmp_path: Path) -> None:
    """Whoever has an admin's key says when it was signed; the others hear of it once it is filed."""
    inside = Inside(tmp_path)
    laptop = inside.device(inside.person("ana@example.com"))
    _delay(inside, HOUR_MS)
    laptop.root, _policy = root_of(inside)

    def shown() -> list[str]:
        found = at_rest(laptop, root_version=2).papers
        return [each.kind for each in found if each.kind == "order"]

    then = inside.now() - 3 * HOUR_MS
    back = order(inside, "wipe", laptop, issued=then, not_before=then + HOUR_MS)
    inside.office.file(signed(inside, back))
    assert (shown(), inside.view(laptop).state) == ([], "wiping")
    inside.skew = HOUR_MS - 60_000
    assert shown() == []
    inside.skew = HOUR_MS + 60_000
    assert shown() == ["order"]
    inside.office.file(signed(inside, order(inside, "cancel", laptop, cancels=back.order_id)))
    assert accepted(laptop, at_rest(laptop, root_version=2)).op == "cancel"
    # One that is drawn up as it should be goes out at once, so that its person is told.
    inside.office.file(
        signed(inside, order(inside, "wipe", laptop, issued=inside.now(), not_before=inside.now() + HOUR_MS))
    )
    assert shown() == ["order", "order"]
    inside.store.close()


def _delay(inside: Inside, delay_ms: int) -> None:
    root, _policy = root_of(inside)
    following = root_desk.with_rule(root, delay_ms=delay_ms)
    key = keyfile.read(inside.keys / "root.key", nobody_asks)
    inside.office.put_root(signing.sign(following, ("", key.signing)).to_bytes(), b"", "")


def root_of(inside: Inside) -> tuple[Root, Policy]:
    with inside.store.read() as tx:
        return post.root_and_policy(tx)


@pytest.mark.parametrize("signer", ["lease_key", "policy_key", "forger"])
@pytest.mark.expected_warnings("paper order refused by rule")
def test_only_an_admin_calls_a_wipe_off(town: Town, signer: str) -> None:
    """A stolen server must not be able to keep a stolen laptop open."""
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        coming = desk.order("wipe", 5, not_before=now_ms() + HOUR_MS)
        desk.give(coming, desk.order_key)
        desk.give(desk.order("cancel", 6, cancels=coming.order_id), getattr(desk, signer))
        session.obey()
        assert [each.order.op for each in session.papers.pending()] == ["wipe"]


@pytest.mark.parametrize("cancels", ["", "x", "00" * 15])
@pytest.mark.expected_warnings("paper order refused by rule order_id")
def test_what_calls_nothing_off_is_no_order(town: Town, cancels: str) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        desk.give(desk.order("cancel", 6, cancels=cancels), desk.order_key)
        desk.give(desk.order("lock", 7, cancels="00" * 16), desk.order_key)
        assert not session.papers.pending()


@pytest.mark.expected_warnings("paper order refused by rule order_number")
def test_wipe_and_cancellation_that_are_due_together_wipe_nothing(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with open_session(laptop.profile) as session:
        desk = Desk(town, session)
        due, other = desk.order("wipe", 5), desk.order("lock", 7)
        for each in (due, desk.order("cancel", 6, cancels=due.order_id), other):
            desk.give(each, desk.order_key)
        assert session.obey() is True
        assert session.state.obeyed[due.order_id] == "cancelled"
        assert session.stage == "lock_crypto"
        assert wipe.read_intent(laptop.profile) is None
        # Shown once more it is refused by its number: nobody brings it back.
        desk.give(due, desk.order_key)
        assert not session.papers.pending()


def test_the_server_files_no_cancellation_of_what_is_no_wipe_under_way(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    one, two = (inside.device(inside.person("ana@example.com"), name) for name in ("one", "two"))
    inside.wipe(one)
    (filed,) = inside.office.orders()
    for devices, cancels in (((two,), filed.id), ((one,), "00" * 16), ((one, two), filed.id)):
        with pytest.raises(Refused, match="no such wipe"):
            inside.office.file(signed(inside, order(inside, "cancel", *devices, cancels=cancels)))
    server = signing.sign(
        order(inside, "cancel", one, cancels=filed.id), ("", config.read_lease_key(inside.folders.lease_key))
    )
    with pytest.raises(Refused, match="no admin has signed"):
        inside.office.file(server.to_bytes())
    inside.office.file(signed(inside, order(inside, "cancel", one, cancels=filed.id)))
    with pytest.raises(Refused, match="called off already"):
        inside.office.file(signed(inside, order(inside, "cancel", one, cancels=filed.id)))
    # The device says nothing that opens it: only what an admin has signed does.
    assert inside.view(one).state == "wiping"
    inside.store.close()
