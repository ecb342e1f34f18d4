"""An order for several devices is drawn up, signed by two people on machines of their own, and filed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sync.console import desk, keyfile
from sync.console import paper as papers
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Order, Target
from sync.protocol.errors import Refused
from sync.protocol.trust import DAY_MS
from tests.console.away import Person, draft, root_in, second_admin
from tests.server.driver import Device
from tests.server.inside import Inside, nobody_asks
from tests.server.orders import signed
from tests.server.running import Org


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    made = Inside(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def laptops(inside: Inside) -> list[Device]:
    """Three laptops, and the server's store free for commands."""
    who = inside.person("ana@example.com")
    made = [inside.device(who, f"LAP-{n}") for n in range(1, 4)]
    inside.store.close()
    return made


@pytest.fixture
def house(inside: Inside, laptops: list[Device], scripts: Path) -> Org:
    """The commands on the folders of that server."""
    return Org(inside.folder, scripts)


@pytest.fixture
def ed(house: Org) -> Person:
    return second_admin(house)


@pytest.fixture
def first(house: Org) -> Person:
    return Person(house, house.keys)


def test_two_people_sign_and_three_devices_take_the_wipe(
    house: Org, inside: Inside, laptops: list[Device], first: Person, ed: Person
) -> None:
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2", "LAP-3")
    shown = first.sign(file, "wipe 3")
    for words in ("WIPE", "LAP-1", laptops[1].enrolment, "stolen", "3 devices", "Nobody has signed it yet"):
        assert words in shown.stderr
    assert "1 more signature is needed, of somebody else." in shown.stdout
    early = house.admin("file", str(file), check=False)
    assert (early.returncode, "1 more signature is needed" in early.stderr) == (1, True)
    assert "Ed (" not in shown.stdout
    done = ed.sign(file, "wipe 3")
    assert "Ed (" in done.stdout
    assert "It can be filed" in done.stdout
    filed = json.loads(house.admin("file", str(file), "--json").stdout)
    assert {each["device"] for each in filed} == {"LAP-1", "LAP-2", "LAP-3"}
    assert all(len(each["signers"]) == 2 for each in filed)
    root = root_in(file)
    for laptop in laptops:  # as each of them does
        data = papers.read(file).envelope.to_bytes()
        taken = trust.order(root, trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now())
        assert (taken.order.op, taken.authority) == ("wipe", "admin")


def test_people_are_counted_and_not_their_keys(house: Org, first: Person, ed: Person) -> None:
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2")
    first.sign(file, "wipe 2")
    (house.keys / "order-1.key").unlink()  # the other key of the same admin is left
    again = first.sign(file, "wipe 2", check=False)
    assert (again.returncode, "people are counted" in again.stderr) == (1, True)
    # One who does not ask the command gets no further: neither the server nor a device counts it.
    paper = papers.read(file)
    key = keyfile.read(house.keys / "order-2.key", nobody_asks)
    twice = signing.cosign(paper.envelope, key.admin_id, key.signing)
    root = root_in(file)
    with pytest.raises(Refused, match="without enough signatures"):
        trust.order(
            root, trust.Floors(), twice.to_bytes(), enrolment=papers.order_of(paper).devices[0].enrolment,
            now=papers.order_of(paper).issued,
        )  # fmt: skip
    papers.write(file, msgspec.structs.replace(paper, signatures=twice.signatures), new=False)
    assert house.admin("file", str(file), check=False).returncode == 1
    assert house.json("orders") == []


def test_one_admin_alone_wipes_one_device_and_no_more(house: Org, first: Person) -> None:
    done = house.admin("wipe", "LAP-1", "LAP-2", "--reason", "stolen", check=False)
    assert (done.returncode, "--draft" in done.stderr) == (1, True)
    assert house.json("orders") == []
    file = draft(house, "one.paper", "LAP-1")
    assert "It can be filed" in first.sign(file, "wipe 1").stdout
    assert house.json("file", str(file))["device"] == "LAP-1"


def test_nothing_is_signed_but_for_the_word(house: Org, first: Person) -> None:
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2")
    before = file.read_bytes()
    for typed in ("", "yes", "wipe 1", "WIPE 2", "wipe"):
        done = first.sign(file, typed, check=False)
        assert (done.returncode, "nothing was signed" in done.stderr) == (1, True)
    assert file.read_bytes() == before
    assert "It needs" not in first.sign(file, "  wipe   2 ").stderr


def test_what_is_shown_is_what_the_bytes_say(house: Org, first: Person) -> None:
    """Whoever hands the file on can write what they like beside the bytes; names move no cursor."""
    file = draft(house, "wipe.paper", "LAP-1", reason="lost\u202e\x1b[2J taxi")
    paper = papers.read(file)
    order = papers.order_of(paper)
    devices = [
        Target(enrolment=order.devices[0].enrolment, name="evil\x1b[1A\u202eLAP-9"),
        *order.devices[1:],
    ]
    bent = msgspec.structs.replace(order, devices=devices)
    papers.write(file, msgspec.structs.replace(paper, payload=bent.to_bytes()), new=False)
    said = first.sign(file, "no", check=False).stderr
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "evil[1ALAP-9" in said
    assert documents.digest(bent.to_bytes())[:4] in said


@pytest.mark.parametrize(
    ("bent", "says"),
    [
        ({"op": "burn"}, "unknown sort"),
        ({"devices": []}, "too many devices"),
        ({"devices": [Target(enrolment=f"{n:032x}") for n in range(26)]}, "too many devices"),
        ({"devices": [Target(enrolment="1" * 32), Target(enrolment="1" * 32)]}, "too many devices"),
        ({"expires": 1}, "expired"),
        ({"root_version": 99}, "not here yet"),
        ({"org": "ff" * 16}, "another organisation"),
        ({"order_id": "x"}, "proper id"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_what_no_device_would_take_is_not_signed(
    house: Org, first: Person, bent: dict[str, object], says: str
) -> None:
    file = draft(house, "wipe.paper", "LAP-1")
    paper = papers.read(file)
    order = msgspec.structs.replace(papers.order_of(paper), **bent)
    papers.write(file, msgspec.structs.replace(paper, payload=order.to_bytes()), new=False)
    done = first.sign(file, "wipe 1", check=False)
    assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert not papers.read(file).signatures


def test_a_file_that_is_no_paper_is_refused(house: Org, first: Person, tmp_path: Path) -> None:
    for data in (b"", b"{}", b"[" * 100_000, b"\xff" * 40, b"{" + b" " * 400_000 + b"}"):
        (tmp_path / "rubbish").write_bytes(data)
        done = first.sign(tmp_path / "rubbish", "wipe 1", check=False)
        assert (done.returncode, "nothing to be signed" in done.stderr) == (1, True)
    assert first.sign(tmp_path / "none", "wipe 1", check=False).returncode == 1
    file = draft(house, "wipe.paper", "LAP-1")
    assert house.admin("wipe", "LAP-2", "--reason", "x", "--draft", str(file), check=False).returncode == 1
    assert [each.name for each in papers.order_of(papers.read(file)).devices] == ["LAP-1"]


def test_a_key_that_the_root_does_not_name_signs_nothing(house: Org) -> None:
    file = draft(house, "wipe.paper", "LAP-1")
    stranger = Person(house, house.folder / "stranger")
    stranger.make(label="Nobody")
    done = stranger.sign(file, "wipe 1", check=False)
    assert (done.returncode, "no key for orders" in done.stderr) == (1, True)


def test_a_lock_by_the_server_meanwhile_does_not_void_what_is_being_signed(
    house: Org, inside: Inside, laptops: list[Device], first: Person, ed: Person
) -> None:
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2")
    house.call("fieldkeep-admin", "--data", str(house.data), "lock", "LAP-1")
    first.sign(file, "wipe 2")
    ed.sign(file, "wipe 2")
    house.admin("file", str(file))
    inside.open()
    laptops[0].send, laptops[0].session = inside.send, None
    kinds = [paper for paper in laptops[0].ask().papers if paper.kind == "order"]
    root, floors = root_in(file), trust.Floors()
    taken = []
    # The device counts the server's numbers and those of admins each for itself, so it takes both, in either order.
    for paper in sorted(kinds, key=lambda each: each.data, reverse=True):
        accepted = trust.order(root, floors, paper.data, enrolment=laptops[0].enrolment, now=inside.now())
        floors = accepted.floors
        taken.append(accepted.order.op)
    assert sorted(taken) == ["lock", "wipe"]


def test_a_later_order_of_an_admin_voids_a_draft_and_it_says_so(house: Org, first: Person) -> None:
    file = draft(house, "wipe.paper", "LAP-1")
    house.admin("lock", "LAP-1")
    first.sign(file, "wipe 1")
    done = house.admin("file", str(file), check=False)
    assert (done.returncode, "since it was drawn up" in done.stderr) == (1, True)


def test_a_signed_order_waits_as_long_as_the_root_says(house: Org, first: Person) -> None:
    house.admin("root", "rule", "--delay", "15")
    house.admin("wipe", "LAP-1", "--reason", "lost")  # by key file at once, and with the delay
    file = draft(house, "wipe.paper", "LAP-2")
    order = papers.order_of(papers.read(file))
    assert order.not_before - order.issued == 15 * 60_000
    first.sign(file, "wipe 1")
    house.admin("file", str(file))
    assert [each["op"] for each in house.json("orders")] == ["wipe", "wipe"]


def test_a_wipe_is_called_off_by_a_signature_made_elsewhere(house: Org, ed: Person) -> None:
    """Whoever has no key file but a security key or passkey calls off as well: the paper is one as any other."""
    house.admin("root", "rule", "--delay", "15")
    house.admin("wipe", "LAP-1", "--reason", "lost")
    file = house.folder / "off.paper"
    told = house.call(
        "fieldkeep-admin",
        "--data",
        str(house.data),
        "cancel",
        "LAP-1",
        "--draft",
        str(file),
        "--reason",
        "found",
    )
    assert "The cancellation is drawn up. It takes the signature of 1 person." in told.stdout
    assert house.json("orders")[-1]["op"] == "wipe"
    shown = ed.sign(file, "cancel 1")
    for words in ("CANCEL", "LAP-1", "found"):
        assert words in shown.stderr
    house.admin("file", str(file))
    assert [each["op"] for each in house.json("orders")] == ["wipe", "cancel"]
    keyless = house.call("fieldkeep-admin", "--data", str(house.data), "cancel", "LAP-1", check=False)
    assert (keyless.returncode, "--draft FILE" in keyless.stderr) == (1, True)


def test_more_than_the_root_allows_is_not_drawn_up(house: Org, first: Person) -> None:
    house.admin("root", "rule", "--most", "2")
    done = house.admin("wipe", "LAP-1", "LAP-2", "LAP-3", "--reason", "x", "--draft", "f", check=False)
    assert (done.returncode, "at most" in done.stderr) == (1, True)
    done = house.admin("wipe", "LAP-1", "LAP-1", "--reason", "x", "--draft", "f", check=False)
    assert (done.returncode, "named twice" in done.stderr) == (1, True)


def test_26_devices_are_refused_by_server_and_device(inside: Inside) -> None:
    laptop = inside.device(inside.person("ana@example.com"), "LAP-1")
    draft_ = inside.office.draft()
    order = Order(
        order_id="0" * 32, seq=draft_.number, op="wipe", org=draft_.org, root_version=1,
        devices=[Target(enrolment=laptop.enrolment), *(Target(enrolment=f"{n:032x}") for n in range(25))],
        reason="x", issued=draft_.now, not_before=draft_.now, expires=draft_.now + DAY_MS,
    )  # fmt: skip
    data = signed(inside, order)
    with pytest.raises(Refused, match="too many devices"):
        inside.office.file(data)
    with pytest.raises(Refused, match="too many devices"):
        trust.order(
            desk.root_of(inside.office), trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now()
        )
