"""Documents at a laptop's door: the good, the forged, the old, the twice-told; and crashes between two writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from app.errors import Locked
from app.keys.state import Alarm
from app.paths import write_whole
from app.services import papers as papers_room
from app.services.opening import open_session
from app.services.papers import Papers
from app.services.session import LOCK_CRYPTO, Session
from sync.protocol import signing
from sync.protocol.documents import Key, Order, Role, Root, Target
from sync.protocol.messages import Paper
from tests.road import ANNA, DAY_MS, Laptop, Town, now_ms
from tests.services.desk import Desk

Expect = Callable[[str], None]


@pytest.fixture(scope="module")
def unmoved(town: Town) -> Laptop:
    """One laptop for all the tests in which nothing may change."""
    return town.laptop(ANNA)


@pytest.fixture
def still(unmoved: Laptop) -> Iterator[Session]:
    """Its open session."""
    with open_session(unmoved.profile) as opened:
        yield opened


@pytest.fixture
def hand(town: Town, still: Session) -> Desk:
    """Who signs for it."""
    return Desk(town, still)


# --- orders


@pytest.mark.parametrize("signer", ["order_key", "lease_key", "policy_key"])
def test_a_lock_by_whoever_may_is_taken_once(desk: Desk, session: Session, signer: str) -> None:
    order = desk.order("lock", 5)
    for _twice in range(2):
        desk.give(order, getattr(desk, signer))
        assert [each.order for each in session.papers.pending()] == [
            msgspec.structs.replace(order, type=Order.TYPE)
        ]
    assert session.obey() is True
    assert session.stage == LOCK_CRYPTO
    assert session.state.obeyed == {order.order_id: "done"}
    assert session.papers.pending() == []
    desk.give(order, getattr(desk, signer))  # shown again before the server has heard the report
    assert session.papers.pending() == []


@pytest.mark.parametrize(
    ("signer", "other", "rule"),
    [
        ("forger", {}, "signature"),
        ("lease_key", {"op": "wipe"}, "threshold"),
        ("policy_key", {"op": "wipe"}, "threshold"),
        ("order_key", {"op": "explode"}, "op"),
        ("order_key", {"org": "00" * 16}, "device"),
        ("order_key", {"devices": [Target(enrolment="00" * 16)]}, "device"),
        ("order_key", {"devices": []}, "device"),
        ("order_key", {"root_version": 2}, "root_number"),
        ("order_key", {"issued": 1, "not_before": 1, "expires": 2}, "expired"),
        ("order_key", {"expires": 4_000_000_000_000_000}, "expired"),
    ],
)
def test_an_order_that_breaks_a_rule_changes_nothing(
    hand: Desk,
    still: Session,
    unmoved: Laptop,
    expect_warning: Expect,
    signer: str,
    other: dict[str, object],
    rule: str,
) -> None:
    expect_warning(f"paper order refused by rule {rule}")
    before = msgspec.structs.replace(still.state, alarm=None)
    hand.give(hand.order(str(other.pop("op", "lock")), 5, **other), getattr(hand, signer))
    assert still.papers.pending() == []
    assert still.obey() is False
    assert msgspec.structs.replace(still.state, alarm=None) == before
    if rule != "expired":
        assert still.ruling.alarm() == Alarm(rule=rule, at=still.state.alarm.at if still.state.alarm else 0)
    assert not unmoved.profile.wipe_intent.exists()


@pytest.mark.parametrize("count", [2, 25])
def test_one_admin_wipes_one_device_only(
    hand: Desk, still: Session, expect_warning: Expect, count: int
) -> None:
    expect_warning("refused by rule threshold")
    others = [Target(enrolment=f"{n:032x}") for n in range(count - 1)]
    targets = [Target(enrolment=still.card.enrolment), *others]
    hand.give(hand.order("wipe", 5, devices=targets), hand.order_key, ("it2", hand.forger[1]))
    assert still.papers.pending() == []


@pytest.mark.expected_warnings("refused by rule order_number", "two histories")
def test_old_numbers_and_two_histories_are_refused(desk: Desk, session: Session) -> None:
    desk.give(desk.order("lock", 5), desk.order_key)
    desk.give(desk.order("unlock", 4), desk.order_key)
    desk.give(desk.order("unlock", 5), desk.order_key)
    assert [each.order.op for each in session.papers.pending()] == ["lock"]
    alarm = session.ruling.alarm()
    assert alarm is not None
    assert (alarm.rule, alarm.two_histories) == ("order_number", True)


def test_a_server_that_ran_ahead_shuts_out_no_admin(desk: Desk, session: Session) -> None:
    """A stolen server key can lock with any number; the admin's own count goes on below it."""
    desk.give(desk.order("lock", 2**40), desk.lease_key)
    desk.give(desk.order("unlock", 6), desk.order_key)
    assert [each.order.op for each in session.papers.pending()] == ["unlock", "lock"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b'"order"', b'"lease"'),
        lambda data: b"",
        lambda data: b"{" * 5_000,
        lambda data: data + b" " * 70_000,
        lambda data: b'{"type": NaN}',
    ],
    ids=["cut", "other type", "empty", "deep", "large", "no number"],
)
def test_bytes_that_are_no_envelope(
    hand: Desk, still: Session, expect_warning: Expect, damage: Callable[[bytes], bytes]
) -> None:
    expect_warning("paper order refused by rule")
    data = signing.sign(hand.order("wipe", 5), hand.order_key).to_bytes()
    still.papers.take_papers([Paper(kind="order", data=damage(data))], "n")
    assert still.papers.pending() == []


@pytest.mark.expected_warnings("unknown kind was left alone")
def test_a_paper_of_a_kind_that_comes_later_is_left_alone(still: Session) -> None:
    still.papers.take_papers([Paper(kind="horoscope", data=b"x")], "n")


def test_one_bad_paper_holds_up_no_other(desk: Desk, session: Session, expect_warning: Expect) -> None:
    expect_warning("paper policy refused")
    papers = [
        Paper(kind="policy", data=b"rubbish"),
        Paper(kind="order", data=signing.sign(desk.order("lock", 5), desk.order_key).to_bytes()),
    ]
    session.papers.take_papers(papers, "n")
    assert len(session.papers.pending()) == 1


# --- orders on file


def test_an_order_slipped_into_the_file_is_never_obeyed(desk: Desk, session: Session, laptop: Laptop) -> None:
    desk.give(desk.order("lock", 5), desk.order_key)
    session.obey()
    forged = desk.order("unlock", 6).to_bytes()
    write_whole(laptop.profile.orders, msgspec.json.encode([forged]))
    assert session.papers.pending() == []
    assert session.obey() is False
    assert session.stage == LOCK_CRYPTO


@pytest.mark.parametrize("damage", [None, b"", b"[", b"\xff"], ids=["gone", "empty", "cut", "rubbish"])
def test_an_order_taken_out_of_the_file_comes_back(
    desk: Desk, session: Session, laptop: Laptop, expect_warning: Expect, damage: bytes | None
) -> None:
    """Whoever tears it out gains nothing: the server shows it until it was obeyed."""
    due = now_ms() + DAY_MS // 2
    order = desk.order("wipe", 5, not_before=due)
    desk.give(order, desk.order_key)
    desk.give(desk.order("unlock", 6), desk.order_key)
    assert len(session.papers.pending()) == 2
    if damage is None:
        laptop.profile.orders.unlink()
    else:
        expect_warning("cannot be read")
        laptop.profile.orders.write_bytes(damage)
    assert session.papers.pending() == []
    with pytest.raises(Locked):  # it may be a lock, or a wipe that was begun
        session.judge()
    desk.give(order, desk.order_key)
    assert [each.order.op for each in session.papers.pending()] == ["wipe"]
    assert (
        session.papers.order_missing()
    )  # the other one, which the server shows as well, or knows of no longer
    expect_warning("known to nobody any more")
    desk.give(desk.lease("n"), desk.lease_key)
    assert not session.papers.order_missing()
    assert [each.order.op for each in session.papers.pending()] == ["wipe"]


class _Crash(Exception):
    """The process ends here."""


def _crash(*_arguments: object) -> None:
    raise _Crash


def test_a_crash_between_the_order_and_its_number(
    desk: Desk, laptop: Laptop, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = desk.order("lock", 5)
    with monkeypatch.context() as patch:
        patch.setattr(session.papers, "_alter", _crash)
        with pytest.raises(_Crash):
            desk.give(order, desk.order_key)
    assert laptop.profile.orders.exists()
    assert session.state.waiting == {}
    session.close()
    with open_session(laptop.profile) as again:
        assert again.stage == "active"  # it was not taken yet
        desk.session = again
        desk.give(order, desk.order_key)
        assert len(again.papers.pending()) == 1
        again.obey()
        assert again.stage == LOCK_CRYPTO


def test_a_crash_before_obedience_is_made_good_at_the_next_start(
    desk: Desk, laptop: Laptop, session: Session
) -> None:
    desk.give(desk.order("lock", 5), desk.order_key)
    session.close()
    with open_session(laptop.profile) as again:
        assert again.stage == LOCK_CRYPTO
        assert again.papers.pending() == []
    assert "share.1" not in laptop.entries()


# --- policy, lease, root


def test_a_policy_that_follows_is_in_force_at_once_and_after_a_start(
    desk: Desk, laptop: Laptop, session: Session
) -> None:
    desk.give(desk.policy(2, inactivity_min=3), desk.policy_key)
    assert (session.papers.held.policy.version, session.papers.held.policy.inactivity_min) == (2, 3)
    session.close()
    assert laptop.json("status")["policy_version"] == 2


@pytest.mark.parametrize(
    ("version", "signer", "other", "warns"),
    [
        (1, "policy_key", {"inactivity_min": 1}, "two histories"),
        (0, "policy_key", {}, "refused by rule policy_number"),
        (2, "order_key", {}, "refused by rule policy"),
        (2, "lease_key", {}, "refused by rule policy"),
        (2, "forger", {}, "refused by rule policy"),
        (2, "policy_key", {"org": "00" * 16}, "refused by rule org"),
        (2, "policy_key", {"expires": 1}, "refused by rule expired"),
        (2, "policy_key", {"rules": [{"signal": "pin", "action": "wipe"}]}, "refused by rule policy_wipe"),
    ],
)
def test_a_policy_that_breaks_a_rule_leaves_the_old_one(
    hand: Desk,
    still: Session,
    expect_warning: Expect,
    version: int,
    signer: str,
    other: dict[str, object],
    warns: str,
) -> None:
    expect_warning(warns)
    before = still.papers.held.policy
    hand.give(hand.policy(version, **other), getattr(hand, signer))
    assert still.papers.held.policy == before


def test_a_policy_put_back_from_yesterday_does_not_hold(desk: Desk, laptop: Laptop, session: Session) -> None:
    old = laptop.profile.policy.read_bytes()
    desk.give(desk.policy(2), desk.policy_key)
    session.close()
    laptop.profile.policy.write_bytes(old)
    done = laptop.ask("list", "customer")
    assert (done.code, done.err.splitlines()[0]) == (1, "The signed documents on this device do not hold.")


def test_a_lease_answers_a_nonce_and_never_outlasts_policy(desk: Desk, session: Session) -> None:
    desk.give(desk.lease("n", valid_ms=400 * DAY_MS), desk.lease_key)
    assert abs(session.state.lease_until - now_ms() - 21 * DAY_MS) < 60_000
    desk.give(desk.lease("n", valid_ms=2 * DAY_MS), desk.lease_key)
    assert abs(session.state.lease_until - now_ms() - 2 * DAY_MS) < 60_000


@pytest.mark.parametrize(
    ("signer", "other", "rule"),
    [
        ("lease_key", {"nonce": "an old one"}, "nonce"),
        ("lease_key", {"enrolment": "00" * 16}, "device"),
        ("forger", {}, "lease"),
        ("order_key", {}, "lease"),
    ],
)
def test_a_lease_that_breaks_a_rule_stretches_nothing(
    hand: Desk, still: Session, expect_warning: Expect, signer: str, other: dict[str, object], rule: str
) -> None:
    expect_warning(f"refused by rule {rule}")
    before = still.state.lease_until
    hand.give(hand.lease(str(other.pop("nonce", "n")), **other), getattr(hand, signer))
    assert still.state.lease_until == before


def _next_root(desk: Desk) -> Root:
    spare = Key(alg="ed25519", spki=signing.spki_of(desk.forger[1]))
    return desk.root(2, lease=Role(keys=[*desk.session.papers.held.root.lease.keys, spare]))


def test_a_root_follows_by_one_under_the_old_key_and_the_new(
    desk: Desk, laptop: Laptop, session: Session
) -> None:
    desk.give(_next_root(desk), desk.root_key)
    assert session.papers.held.root.version == 2
    session.close()
    with open_session(laptop.profile) as again:
        assert again.papers.held.root.version == 2
        assert again.papers.standing().root_version == 2


@pytest.mark.expected_warnings("refused by rule root")
def test_a_root_that_skips_or_is_forged_is_refused(hand: Desk, still: Session) -> None:
    hand.give(hand.root(3), hand.root_key)
    hand.give(hand.root(2), hand.forger)
    hand.give(hand.root(2), hand.order_key)
    assert still.papers.held.root.version == 1


@pytest.mark.parametrize("at", ["number", "file"])
def test_a_crash_while_a_root_is_taken_in_leaves_one_that_holds(
    desk: Desk, laptop: Laptop, session: Session, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    root = _next_root(desk)
    with monkeypatch.context() as patch:
        if at == "number":
            patch.setattr(session.papers, "_alter", _crash)
        else:
            patch.setattr(papers_room, "write_whole", _crash_at(laptop.profile.root))
        with pytest.raises(_Crash):
            desk.give(root, desk.root_key)
    session.close()
    with open_session(laptop.profile) as again:
        assert again.papers.held.root.version == (1 if at == "number" else 2)
        desk.session = again
        if at == "number":
            desk.give(root, desk.root_key)
        assert again.papers.held.root.version == 2
    assert laptop.ask("sync").code == 0


def _crash_at(place: object) -> Callable[[object, bytes], None]:
    def write(path: object, data: bytes) -> None:
        if path == place:
            raise _Crash
        write_whole(path, data)  # type: ignore[arg-type]

    return write


def test_what_the_book_says_of_the_device(still: Session) -> None:
    book: Papers = still.papers
    standing = book.standing()
    assert (standing.state, standing.policy_version, standing.root_version) == ("active", 1, 1)
    assert 20 * DAY_MS < standing.lease_left_ms <= 21 * DAY_MS
