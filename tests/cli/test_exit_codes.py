"""What a script can tell from the exit code: 0 done, 1 refused, 2 wrong use, 3 locked, 4 wiped, 5 offline."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from app.services import wipe
from app.services.wiped_words import handed_in, wiped_error
from sync.protocol import codes
from tests.road import ANNA, BEN, Laptop, Town

ON_RECORDS = (
    ("add", "customer", "name=X"),
    ("edit", "01a204e2-eaf8-7000-9d5a-65ffc12103b3", "name=X"),
    ("delete", "01a204e2-eaf8-7000-9d5a-65ffc12103b3"),
    ("undelete", "01a204e2-eaf8-7000-9d5a-65ffc12103b3"),
    ("show", "01a204e2-eaf8-7000-9d5a-65ffc12103b3"),
    ("list", "customer"),
    ("search", "x"),
    ("conflicts",),
    ("import", "/nowhere.csv"),
    ("export", "customer", "/nowhere/at/all.csv"),
)
OTHERS = (("sync",), ("lock",), ("unlock",), ("doctor",), ("status",))


@pytest.fixture(scope="module")
def laptop(town: Town) -> Laptop:
    """A laptop that stays enrolled and unlocked."""
    return town.laptop(ANNA)


@pytest.fixture
def offline(town: Town) -> Iterator[None]:
    """No server for the time of one test."""
    town.server.stop()
    yield
    town.server.start()


@pytest.mark.parametrize("words", [*ON_RECORDS, *OTHERS])
def test_a_profile_that_is_not_enrolled(town: Town, words: tuple[str, ...]) -> None:
    made = town.laptop()
    done = made.ask(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "This device is not enrolled yet.",
        f"There is no folder {made.folder}: check what stands after --profile.",
        f"Ask IT for an enrolment code, then run: fieldkeep --profile {made.folder} enrol --name DEVICE",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("enrol",),
        ("add",),
        ("list",),
        ("show",),
        ("search",),
        ("edit",),
        ("list", "customer", "--limit", "0"),
        ("list", "customer", "--limit", "x"),
        ("search", "x", "--limit", "-1"),
        ("add", "customer", "name"),
        ("add", "customer", "=x"),
        ("edit", "01a204e2-eaf8-7000-9d5a-65ffc12103b3"),
        ("list", "customer", "--where", "stage"),
        ("sync", "--code", "FK1-AAAAA"),
        ("enrol", "--name", "x", "--code", "FK1-AAAAA"),
        ("unlock", "123456"),
    ],
)
def test_wrong_use(laptop: Laptop, words: tuple[str, ...]) -> None:
    done = laptop.ask(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err


REFUSED = (
    (("add", "unicorn", "name=X"), "There is no kind “unicorn”."),
    (("add", "customer", "name=X", "colour=red"), "Customer has no field “colour”."),
    (("add", "customer", "industry=X"), "Name is needed."),
    (("add", "customer", "name=X", "employees=many"), ""),
    (("add", "customer", "name=X", "address.planet=Mars"), "address.planet: No part of an address."),
    (("add", "customer", "name=X", "industry.main=Y"), "Industry has no parts."),
    (("add", "customer", "name=X", "stage=married"), "Not one of the choices."),
    (("list", "customer", "--where", "colour=red"), "Customer has no field “colour”."),
    (("list", "unicorn"), "There is no kind “unicorn”."),
    (("show", "01a204e2-eaf8-7000-9d5a-65ffc12103b3"), "There is no such record"),
    (("show", "12"), "There is no record with this id."),
    (("delete", "x; DROP TABLE customer"), "There is no record with this id."),
    (("edit", "01a204e2-eaf8-7000-9d5a-65ffc12103b3", "name=X"), "There is no such record"),
)


def test_what_is_refused_says_why(laptop: Laptop) -> None:
    before = laptop.holds()
    for words, says in REFUSED:
        done = laptop.ask(*words)
        assert (done.code, done.out) == (1, ""), words
        assert says in done.err, words
        assert done.err.strip(), words
    assert laptop.holds() == before


def test_a_code_that_is_none(town: Town) -> None:
    made = town.laptop()
    for text in ("", "FK1", "hello", "FK1-AAAAA-BBBBB", town.code(BEN)[:-3], "x" * 5_000):
        done = made.ask("enrol", "--name", "x", stdin=text)
        assert (done.code, done.out) == (1, "")
        assert done.err.strip()
        assert len(text) < 4 or text not in done.err
    assert not made.profile.device.exists()


def test_a_code_that_was_used(town: Town) -> None:
    code = town.code(BEN)
    first, second = town.laptop(), town.laptop()
    assert first.ask("enrol", "--name", first.name, stdin=code).code == 0
    done = second.ask("enrol", "--name", second.name, stdin=code)
    assert (done.code, done.err.splitlines()[0]) == (1, "This enrolment code is not valid any more.")
    assert second.files() == ["profile.lock"]
    again = first.ask("enrol", "--name", "another", stdin=town.code(BEN))
    assert (again.code, again.err.splitlines()[0]) == (1, "This device is enrolled already.")
    assert first.ask("list", "customer").code == 0


def test_a_code_nobody_gave(town: Town) -> None:
    real = codes.read(town.code(BEN))
    made_up = codes.write(codes.EnrolCode(real.url, real.root_digest, secrets.token_bytes(16)))
    done = town.laptop().ask("enrol", "--name", "x", stdin=made_up)
    assert (done.code, done.err.splitlines()[0]) == (1, "This enrolment code is not valid any more.")


def test_a_name_that_is_taken_leaves_the_code_good(town: Town, laptop: Laptop) -> None:
    code, made = town.code(BEN), town.laptop()
    refused = made.ask("enrol", "--name", laptop.name, stdin=code)
    assert (refused.code, refused.err.splitlines()[0]) == (1, "Another device has this name.")
    assert made.ask("enrol", "--name", "a name of its own", stdin=code).code == 0


def test_enrolling_without_a_keyring_leaves_nothing_behind(town: Town) -> None:
    made, code = town.laptop(), town.code(BEN)
    nowhere = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    assert made.ask("enrol", "--name", "no ring", stdin=code, env=nowhere).code == 1
    assert not made.folder.exists()
    assert made.ask("enrol", "--name", "a ring", stdin=code).code == 0


def test_locked_by_the_person(town: Town) -> None:
    made = town.laptop(ANNA)
    record = made.add("customer", name="Behind a door")
    made.json("lock")
    for words in ON_RECORDS:
        done = made.ask(*words)
        assert (done.code, done.out) == (3, ""), words
        assert done.err == f"Fieldkeep is locked.\nUnlock it with: fieldkeep --profile {made.folder} unlock\n"
    assert made.ask("sync").code == 3
    assert [made.ask(*words).code for words in (("status",), ("lock",), ("doctor",), ("unlock",))] == [
        0,
        0,
        0,
        0,
    ]
    assert made.show(record)["name"] == "Behind a door"


def test_locked_by_it_and_unlocked(town: Town) -> None:
    made = town.laptop(ANNA)
    record = made.add("customer", name="Kept through a lock")
    town.order("lock", made)
    assert made.ask("list", "customer").code == 0  # the order arrives with the next exchange
    said = made.ask("sync")
    assert (said.code, said.err.splitlines()[0]) == (3, "This device was locked by Example.")
    for words in (*ON_RECORDS, ("unlock",), ("sync",)):
        assert made.ask(*words).code == 3, words
    town.order("unlock", made)
    assert made.ask("unlock").code == 3
    assert made.ask("sync").code == 0
    assert made.show(record)["name"] == "Kept through a lock"


def test_wiped(town: Town) -> None:
    made = town.laptop(ANNA)
    town.order("wipe", made)
    said = made.ask("sync")
    assert (said.code, said.out) == (4, "")
    assert said.err == (
        "This device was wiped by Example.\nReason: stolen\nWhat you had not sent is sealed, and IT has it.\n"
        "Ask your IT what comes next.\n"
    )
    for words in (*ON_RECORDS, ("lock",), ("unlock",), ("doctor",), ("sync",)):
        assert made.ask(*words).code == 4, words
    status = made.ask("status")
    assert (status.code, status.out.splitlines()[-2:]) == (
        0, ["What you had not sent is sealed, and IT has it.", "Ask your IT what comes next."],
    )  # fmt: skip


def test_what_was_not_sent_is_with_it_only_once_it_is() -> None:
    intent = wipe.Intent(
        order_id="", order_sha256="", reason="", org="", org_name="", device="", enrolment="", server_url="",
        policy_version=1, started=0,
    )  # fmt: skip
    here = wiped_error(intent)
    assert (
        here.kept
        == "What you had not sent is sealed here, and goes to IT at the next contact with the server."
    )
    assert handed_in(here).kept == "What you had not sent is sealed, and IT has it."


@pytest.mark.usefixtures("offline")
def test_offline(laptop: Laptop, town: Town) -> None:
    record = laptop.add("customer", name="Made in a tunnel")
    done = laptop.ask("sync")
    assert (done.code, done.out) == (5, "")
    assert done.err.splitlines()[0] == "Could not reach the server."
    assert laptop.show(record)["waiting"] is True
    assert laptop.json("status")["unsent"] >= 1
    looked = laptop.ask("doctor", "--json")
    assert (looked.code, looked.json["ok"]) == (0, True)  # a warning is no fault
    warned = {each["name"]: each["level"] for each in looked.json["checks"] if not each["ok"]}
    warned.pop("System events", None)  # whether a machine tells of sleep is the machine's
    assert warned == {"Server": "warning", "Records and the server": "warning"}
    assert "! Server: could not be reached" in laptop.ask("doctor").out.splitlines()
    code = codes.write(codes.EnrolCode(town.server.url, "0" * 64, b"0" * 16))
    made = town.laptop()
    refused = made.ask("enrol", "--name", "x", stdin=code)
    assert refused.code == 5
    assert refused.err == "Could not reach the server.\nNothing was changed; the code stays valid.\n"
    assert made.files() == ["profile.lock"]


def test_a_folder_that_cannot_be_one(town: Town) -> None:
    made = town.laptop()
    made.folder.write_text("a file, not a folder")
    for words, stdin in ((("status",), ""), (("enrol", "--name", "x"), town.code(BEN))):
        done = made.ask(*words, stdin=stdin)
        assert done.code == 1, words
        assert done.err.strip()
    made.folder.unlink()
