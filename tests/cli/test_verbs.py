"""Every verb of the command line, for scripts (--json) and for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.road import ANNA, BEN, Laptop, Town
from tests.system.buses import Daemon, LogindService


@pytest.fixture(scope="module")
def laptop(town: Town) -> Laptop:
    """One laptop for all verbs."""
    return town.laptop(ANNA)


def test_enrol_says_who_the_device_is(town: Town) -> None:
    made = town.laptop()
    said = made.json("enrol", "--name", "desk in the hall", stdin=town.code(BEN) + "\n")
    assert {name: said[name] for name in ("device", "person", "role", "team", "organisation", "server")} == {
        "device": "desk in the hall",
        "person": BEN,
        "role": "rep",
        "team": "Sales/East",
        "organisation": "Example",
        "server": f"https://127.0.0.1:{town.server.port}",
    }
    other = town.laptop()
    code = town.code(BEN)
    done = other.ask("enrol", "--name", "plain", stdin=code)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"plain is enrolled for {BEN} at Example.\n"
        f"Fetch your customers with: fieldkeep --profile {other.folder} sync\n"
    )


def test_add_prints_the_record_with_its_id(laptop: Laptop) -> None:
    made = laptop.json(
        "add", "customer", "name=Blue Harbour Ltd", "phone.work=+49 30 5550123", "phone.mobile=+49 171 5550199",
        "address.city=Berlin", "address.country=DE", "revenue=1,250.50 EUR", "tag=port", "employees=12",
    )  # fmt: skip
    assert made["kind"] == "customer"
    assert (made["type"], made["owner"], made["deleted"], made["waiting"]) == ("company", ANNA, False, True)
    assert [(p["label"], p["value"]) for p in made["phones"]] == [
        ("work", "+49 30 5550123"),
        ("mobile", "+49 171 5550199"),
    ]
    assert made["address"] == {"city": "Berlin", "country": "DE"}
    assert made["revenue"] == {"minor": 125_050, "currency": "EUR"}
    assert (made["tags"], made["employees"]) == (["port"], 12)
    assert laptop.show(made["id"]) == made


def test_add_for_people_and_from_standard_input(laptop: Laptop) -> None:
    done = laptop.ask("add", "contact", "name=W. Reed", "role=Buyer")
    assert done.code == 0
    assert done.out.startswith("W. Reed  (Contact, ")
    made = laptop.json("add", "customer", "-", stdin={"name": "上海蓝港有限公司", "tags": ["中文", "重要"]})
    assert (made["name"], made["tags"]) == ("上海蓝港有限公司", ["中文", "重要"])


def test_a_list_on_standard_input_is_added_whole_or_not_at_all(laptop: Laptop) -> None:
    before = len(laptop.json("list", "product"))
    names = [{"name": f"Valve {n}"} for n in range(3)]
    assert [each["name"] for each in laptop.json("add", "product", "-", stdin=names)] == [
        "Valve 0", "Valve 1", "Valve 2",
    ]  # fmt: skip
    refused = laptop.ask("add", "product", "-", stdin='[{"name": "Valve 4"}, {"no such field": 1}]')
    assert refused.code == 1
    assert len(laptop.json("list", "product")) == before + 3


def test_edit_changes_what_is_named_and_nothing_else(laptop: Laptop) -> None:
    made = laptop.json(
        "add", "customer", "name=Harbour Crane Co", "phone.work=+49 30 1110", "stage=lead", "tag=a"
    )
    edited = laptop.json(
        "edit", made["id"], "stage=customer", "phone.work=+49 30 2220", "phone.home=+49 30 3330"
    )
    assert edited["stage"] == "customer"
    assert [(p["label"], p["value"]) for p in edited["phones"]] == [
        ("work", "+49 30 2220"),
        ("home", "+49 30 3330"),
    ]
    assert edited["phones"][0]["id"] == made["phones"][0]["id"]  # the same phone, not another one
    assert (edited["name"], edited["tags"]) == (made["name"], made["tags"])
    assert laptop.json("edit", made["id"], "-", stdin={"stage": None})["stage"] is None
    assert laptop.json("edit", made["id"], "phone.home=")["phones"] == edited["phones"][:1]
    done = laptop.ask("edit", made["id"], "industry=Cranes")
    assert done.code == 0
    assert "  Industry: Cranes\n" in done.out


def test_a_reference_is_given_by_title_or_by_id(laptop: Laptop) -> None:
    customer = laptop.add("customer", name="Reference & Sons")
    by_title = laptop.json("add", "deal", "name=Crane one", "customer=Reference & Sons")
    by_id = laptop.json("add", "deal", "name=Crane two", f"customer={customer}")
    assert by_title["customer"] == by_id["customer"] == customer
    assert "Reference & Sons" in laptop.ask("show", by_id["id"]).out
    for title, says in (("Nobody Known", "customer: There is no customer of this name here."),):
        refused = laptop.ask("add", "deal", "name=Crane three", f"customer={title}")
        assert (refused.code, refused.err.splitlines()[0]) == (1, says)
    laptop.add("customer", name="Reference & Sons")
    assert (
        "Several records have this name."
        in laptop.ask("add", "deal", "name=X", "customer=Reference & Sons").err
    )


def test_delete_says_how_to_take_it_back(laptop: Laptop) -> None:
    record = laptop.add("task", subject="Call back")
    done = laptop.ask("delete", record)
    command = f"fieldkeep --profile {laptop.folder} undelete {record}"
    assert (done.code, done.out) == (0, f"Deleted. Take it back with: {command}\n")
    assert record not in laptop.holds("task")
    assert laptop.json("delete", record)["deleted"] is True
    assert laptop.show(record)["deleted"] is True
    assert [each["id"] for each in laptop.json("list", "task", "--deleted")] == [record]
    lost = laptop.ask("undelete", record[:-1])
    assert f"fieldkeep --profile {laptop.folder} list KIND --deleted" in lost.err
    refused = laptop.ask("edit", record, "subject=Another")
    assert (refused.code, refused.err.splitlines()[0]) == (1, "This record is deleted.")
    assert laptop.json("undelete", record)["deleted"] is False
    assert record in laptop.holds("task")
    assert laptop.ask("undelete", record).code == 0


def test_list_by_where_and_limit(laptop: Laptop) -> None:
    laptop.json(
        "add", "customer", "-",
        stdin=[{"name": f"Listed {n:02}", "industry": "Lists", "stage": "lead" if n % 2 else None} for n in range(12)],
    )  # fmt: skip
    found = laptop.json("list", "customer", "--where", "industry=Lists")
    assert [each["name"] for each in found] == [f"Listed {n:02}" for n in range(12)]
    assert len(laptop.json("list", "customer", "--where", "industry=Lists", "--where", "stage=lead")) == 6
    assert len(laptop.json("list", "customers", "--where", "industry=Lists", "--limit", "5")) == 5
    assert laptop.json("list", "customer", "--where", "industry=Nothing of it") == []
    done = laptop.ask("list", "customer", "--where", "industry=Lists", "--limit", "2")
    assert [line.split("\t")[1] for line in done.out.splitlines()] == ["Listed 00", "Listed 01"]


def test_search_by_argument_and_from_standard_input(laptop: Laptop) -> None:
    record = laptop.add("customer", name="Zephyrine Works", notes="met at the fair in Zürich")
    assert [each["id"] for each in laptop.json("search", "zephyr")] == [record]
    assert [each["id"] for each in laptop.json("search", "-", stdin="zurich fair\n")] == [record]
    assert laptop.json("search", "zephyrine nowhere") == []
    assert laptop.ask("search", "zephyrine nowhere").code == 0
    assert len(laptop.json("search", "listed", "--limit", "3")) == 3
    assert laptop.ask("search", "zephyr").out.split("\t")[0] == record


def test_sync_says_what_went_and_came(laptop: Laptop) -> None:
    laptop.add("task", subject="Goes up")
    said = laptop.sync()
    assert said["sent"] >= 1
    assert (said["unsent"], said["refused"], said["recovered"]) == (0, 0, 0)
    assert laptop.ask("sync").out.splitlines()[0] == "Sent 0, received 0."


def test_lock_and_unlock_by_the_person(laptop: Laptop) -> None:
    assert laptop.json("lock") == {"state": "locked"}
    assert laptop.ask("list", "customer").code == 3
    assert laptop.json("unlock") == {"state": "active"}
    assert laptop.ask("list", "customer").code == 0
    assert laptop.ask("lock").out == "Fieldkeep is locked.\n"
    assert laptop.ask("unlock").out == "Fieldkeep is unlocked.\n"


def test_doctor_looks_at_everything(laptop: Laptop) -> None:
    laptop.sync()  # what was never exchanged cannot be compared
    said = laptop.json("doctor")
    assert said["ok"] is True
    assert {each["name"] for each in said["checks"]} >= {
        "System keyring", "Signed documents", "Clock", "Server", "Store", "Unsent changes",
    }  # fmt: skip
    done = laptop.ask("doctor")
    assert done.code == 0
    verdict, *checks = done.out.splitlines()
    assert verdict
    assert checks
    # Whether a machine tells of sleep and locked screens is the machine's.
    assert [line for line in checks if not line.startswith(("✓ ", "! System events"))] == []


def test_doctor_says_what_the_system_tells(laptop: Laptop, tmp_path: Path) -> None:
    bus = Daemon(tmp_path, "system")
    bus.start()
    logind = LogindService(bus)
    logind.serve()
    told = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address, "XDG_SESSION_ID": "1"}
    try:
        said = laptop.ask("doctor", env=told).out
        assert "! System events: No screen saver says when the screen is locked." in said.splitlines()
        logind.methods.pop("Inhibit")
        assert "Sleep does not wait for the lock." in laptop.ask("doctor", env=told).out
    finally:
        logind.close()
        bus.stop()
    silent = laptop.ask("doctor", env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/bus"})
    assert silent.code == 0
    assert "does not tell of sleep" in silent.out


def test_doctor_finds_a_damaged_store(town: Town) -> None:
    made = town.laptop(ANNA)
    made.json("add", "customer", "-", stdin=[{"name": f"Page {n}", "notes": "x" * 2_000} for n in range(40)])
    made.sync()
    store = made.profile.store
    data = bytearray(store.read_bytes())
    for page in range(10, len(data) // 4096, 2):
        data[page * 4096 + 100] ^= 1
    store.write_bytes(data)
    done = made.ask("doctor")
    assert done.code == 1
    assert "damaged" in done.out + done.err


def test_conflicts_are_shown_with_both_values(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    assert anna.ask("conflicts").out == "No conflicts.\n"
    record = anna.add("customer", name="Two Minds", industry="Tea")
    gone = anna.add("customer", name="Gone Ltd")
    anna.sync()
    ben.sync()
    anna.edit(record, industry="Coffee")
    anna.edit(gone, industry="Coal")
    assert ben.ask("delete", gone).code == 0
    ben.edit(record, industry="Cocoa")
    anna.sync()
    ben.sync()
    anna.sync()
    for laptop in (anna, ben):
        met = next(each for each in laptop.json("conflicts") if each["record"] == record)
        assert (met["record"], met["title"], met["field"], met["state"]) == (
            record,
            "Two Minds",
            "industry",
            "open",
        )
        assert {met["shown"], met["kept"]} == {"Coffee", "Cocoa"}
        assert met["base"] == "Tea"
        said = laptop.ask("conflicts").out
        assert "Two Minds · Industry" in said
        assert f"the other: {met['kept']}" in said
        assert "1 conflict" in laptop.ask("show", record).out
        assert "Coffee" in said
        assert "Cocoa" in said
        assert "Gone Ltd · the whole record" in said
        assert "shown: kept (anna" in said
        assert "the other: deleted (ben" in said
    anna.edit(record, industry="Cake")
    met = next(each for each in anna.json("conflicts") if each["record"] == record)
    assert (met["shown"], met["changed_since"]) == ("Cake", True)
    assert {met["met"], met["kept"]} == {"Coffee", "Cocoa"}
    said = anna.ask("conflicts").out
    assert "shown: Cake (the record was last changed by anna" in said
    assert f"stood there then: {met['met']}" in said
    assert f"the other: {met['kept']}" in said


def test_totals_of_deals_for_scripts_and_for_people(town: Town) -> None:
    made = town.laptop(ANNA)
    assert made.json("totals", "deal") == []
    for stage, amount, close in (
        ("won", "100 EUR", "2026-11-03"),
        ("won", "20.50 EUR", "2026-11-30"),
        ("lost", "70 USD", "2026-12-01"),
        ("proposal", "", ""),
    ):
        made.json("add", "deal", "name=Crane", f"stage={stage}", f"amount={amount}", f"close_on={close}")
    assert made.json("totals", "deal") == [
        {"stage": "proposal", "count": 1, "currency": None, "amount": None},
        {"stage": "won", "count": 2, "currency": "EUR", "amount": {"minor": 12_050, "currency": "EUR"}},
        {"stage": "lost", "count": 1, "currency": "USD", "amount": {"minor": 7_000, "currency": "USD"}},
    ]
    by = made.json("totals", "deals", "--by", "close_on", "--by", "stage")
    assert [(each["close_on"], each["stage"], each["count"]) for each in by] == [
        ("2026-11", "won", 2), ("2026-12", "lost", 1), (None, "proposal", 1),
    ]  # fmt: skip
    assert made.json("totals", "deal", "--by", "owner")[0]["owner"] == ANNA
    done = made.ask("totals", "deal")
    assert (done.code, done.out) == (0, "Proposal\t1\twithout an amount\nWon\t2\t€120.50\nLost\t1\t$70.00\n")
    assert done.err == ""
    parted = made.ask("totals", "deal", "--by", "owner")
    assert parted.err == "Each currency has a row of its own, and so have records without an amount.\n"
    assert [row.split("\t")[0] for row in parted.out.splitlines()] == [ANNA] * 3
    for wrong, named in ((("totals", "customer"), "deal"), (("totals", "deal", "--by", "name"), "close_on")):
        done = made.ask(*wrong)
        assert (done.code, done.out) == (2, "")
        assert named in done.err
