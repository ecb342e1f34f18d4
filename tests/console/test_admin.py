"""The command `fieldkeep-admin`: what it prints, how it ends, with a server and without one."""

from __future__ import annotations

import json
import socket
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sync.compose import hints
from sync.protocol.errors import KnownError
from sync.server import config
from sync.server.office import StoreOffice
from tests.served import Server
from tests.server.driver import Device, Tls
from tests.server.running import Org


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


@pytest.fixture
def server(org: Org) -> Iterator[Server]:
    running = org.serve()
    yield running
    assert running.stop() == 0


def test_people_by_the_command_alone(org: Org) -> None:
    told = org.json(
        "person",
        "add",
        "ana@example.com",
        "--role",
        "rep",
        "--team",
        " Sales / East ",
        "--territory",
        "North",
    )
    assert (told["email"], told["role"], told["team"], told["territory"], told["news"]) == (
        "ana@example.com", "rep", "Sales/East", "North", "added",
    )  # fmt: skip
    again = org.json("person", "add", "ANA@example.com", "--role", "manager", "--team", "Sales")
    assert (again["id"], again["news"]) == (told["id"], "changed")
    listed = org.json("person", "list")
    assert [(each["email"], each["role"]) for each in listed] == [
        ("ANA@example.com", "manager"),
        ("it@example.com", "it"),
    ]
    assert "manager" in org.admin("person", "list").stdout


def test_a_person_is_added_with_role_and_team_in_words(org: Org) -> None:
    """A slip in a team's name is seen at once, since it makes a team of one."""
    for email, team, is_new in (
        ("ana@example.com", "Sales/East", True),
        ("bo@example.com", "Sales/East", False),
        ("cy@example.com", "Sales", False),  # somebody is below it
        ("di@example.com", "Slaes", True),
    ):
        done = org.admin("person", "add", email, "--role", "rep", "--team", team)
        assert done.stdout == f"{email} has an account now: role rep, team {team}.\n"
        assert done.stderr.startswith(f"{team} is a new team") is is_new
    moved = org.admin("person", "add", "di@example.com", "--role", "rep", "--team", "Sales")
    assert (moved.stdout, moved.stderr) == (
        "The account of di@example.com is changed: role rep, team Sales.\n",
        ("Before: role rep, team Slaes, class restricted.\n"
         "Their devices go through everything anew at the next contact. See: fieldkeep-admin devices\n"),
    )  # fmt: skip
    for team in ("", " / "):
        none = org.admin("person", "add", "ed@example.com", "--role", "rep", "--team", team, check=False)
        assert (none.returncode, none.stderr.splitlines()[0]) == (1, "A team is needed.")


def test_commands_in_hints_are_right_as_they_are_printed(org: Org, tmp_path: Path) -> None:
    given = f"fieldkeep-admin --data {org.data} --keys {org.keys}"
    assert f"{given} enrol-code EMAIL" in org.admin("devices").stderr
    assert f"{given} devices" in org.admin("lock", "laptop", check=False).stderr
    assert f"{given} person add EMAIL --role ROLE" in _code_for_nobody(org)
    elsewhere = tmp_path / "a typo"
    done = org.call("fieldkeep-admin", "--data", str(elsewhere), "devices", check=False)
    assert done.stderr.splitlines()[0] == f"There is no server in the folder {elsewhere}."
    assert f"fieldkeep-server init --data '{elsewhere}' --secrets DIR --keys DIR --org NAME" in done.stderr


def _code_for_nobody(org: Org) -> str:
    folders, settings = config.load(org.data)
    store = config.open_store(folders)
    try:
        office = StoreOffice(store, config.read_lease_key(folders.lease_key), f"https://{settings.host}")
        with pytest.raises(KnownError) as refused:
            office.enrol_code("zed@example.com")
    finally:
        store.close()
    return hints.filled(refused.value.hint)


def test_json_is_taken_anywhere(org: Org) -> None:
    base = ["--data", str(org.data)]
    for words in (
        ["--json", *base, "person", "list"],
        [*base, "--json", "person", "list"],
        [*base, "person", "--json", "list"],
        [*base, "person", "list", "--json"],
    ):
        (person,) = json.loads(org.call("fieldkeep-admin", *words).stdout)
        assert person["role"] == "it"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["person"],
        ["person", "add", "a@example.com"],
        ["person", "add", "a@example.com", "--role", "king", "--team", "x"],
        ["wipe", "laptop"],
        ["recover", "laptop"],
        ["refused", "laptop", "other"],
        ["wipe", "laptop", "--reason", "lost", "--wait", "-3"],
        ["wipe", "laptop", "--reason", "lost", "--wait", "nan"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2(org: Org, words: list[str]) -> None:
    assert org.admin(*words, check=False).returncode == 2


def test_refusals_end_with_1_and_say_why(org: Org, tmp_path: Path) -> None:
    for words, says in (
        (["lock", "laptop"], "no device"),
        (["person", "add", "nobody", "--role", "rep", "--team", "x"], "e-mail"),
        (["recover", "laptop", "--to", "other"], "no device"),
        (["refused", "laptop"], "no device"),
    ):
        done = org.admin(*words, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert says in done.stderr
    elsewhere = Org(tmp_path / "elsewhere", org.scripts).admin("devices", check=False)
    assert (elsewhere.returncode, "no server" in elsewhere.stderr) == (1, True)


def test_a_code_needs_a_running_server_where_the_port_is_free(org: Org) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    done = org.admin("enrol-code", "ana@example.com", check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert "serve" in done.stderr


def test_a_code_for_nobody_is_refused(org: Org, server: Server) -> None:
    done = org.admin("enrol-code", "zed@example.com", check=False)
    assert (done.returncode, "account" in done.stderr) == (1, True)


@pytest.fixture
def ana(org: Org, server: Server) -> Iterator[Device]:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    line = Tls(server.url, None)
    device = Device(line, "ana")
    device.enrol(org.code("ana@example.com"))
    yield device
    line.close()


def test_the_list_of_devices_has_what_scripts_stand_on(org: Org, ana: Device) -> None:
    ana.add("customer", name="Northwind")
    ana.exchange([], unsent=1)
    (device,) = org.json("devices")
    assert device["name"] == "ana"
    assert device["enrolment"] == ana.enrolment
    assert device["id"].replace("-", "") == ana.device.hex()
    assert (device["person"], device["state"], device["receipt"], device["unsent"], device["pending"]) == (
        "ana@example.com", "active", "none", 1, "",
    )  # fmt: skip
    assert device["last_seen"].endswith("Z")
    assert "ana" in org.admin("devices").stdout


def test_the_list_of_orders_tells_what_became_of_them(org: Org, ana: Device) -> None:
    org.admin("lock", "ana", "--reason", "left in a taxi")
    keyless = org.command("fieldkeep-admin", "--data", str(org.data), "unlock", "ana", "--json")
    assert json.loads(keyless.stdout)["signers"] == ["server"]
    lock, unlock = org.json("orders")
    assert (lock["op"], lock["state"], lock["reason"], lock["device"]) == (
        "lock",
        "filed",
        "left in a taxi",
        "ana",
    )
    assert lock["signers"] != ["server"]
    assert (unlock["number"] > lock["number"], unlock["reported"]) == (True, None)
    ana.exchange(obeyed={lock["id"]: "done"})
    assert [each["state"] for each in org.json("orders")] == ["done", "filed"]
    assert "taxi" in org.admin("orders").stdout


def test_wipe_and_recover_need_keys_and_say_so(org: Org, ana: Device) -> None:
    for words in (["wipe", "ana", "--reason", "lost"], ["recover", "ana", "--to", "ana"]):
        done = org.call("fieldkeep-admin", "--data", str(org.data), *words, check=False)
        assert (done.returncode, "--keys" in done.stderr) == (1, True)
    assert org.json("orders") == []


def test_waiting_for_a_receipt(org: Org, ana: Device) -> None:
    done = org.admin("wipe", "ana", "--reason", "lost", "--wait", "0.5", check=False)
    assert (done.returncode, "No receipt yet" in done.stderr) == (1, True)
    ana.hand_in(ana.receipt(ana.ask().paper("order").data))
    assert (
        org.admin("wipe", "ana", "--reason", "lost", "--wait", "5", check=False).returncode == 1
    )  # wiped already


def test_the_wait_ends_with_the_receipt(org: Org, ana: Device) -> None:
    words = [
        "--data",
        str(org.data),
        "--keys",
        str(org.keys),
        "wipe",
        "ana",
        "--reason",
        "lost",
        "--wait",
        "30",
    ]
    waiting = subprocess.Popen(
        [org.scripts / "fieldkeep-admin", *words, "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    while not (orders := [paper for paper in ana.ask().papers if paper.kind == "order"]):
        assert waiting.poll() is None
    ana.hand_in(ana.receipt(orders[0].data))
    out, _errors = waiting.communicate(timeout=30)
    assert waiting.returncode == 0
    assert (json.loads(out)["state"], json.loads(out)["receipt"]) == ("wiped", "verified")


def test_waiting_without_a_server_ends_with_5(org: Org, server: Server, ana: Device) -> None:
    assert server.stop() == 0
    done = org.admin("wipe", "ana", "--reason", "lost", "--wait", "5", check=False)
    assert done.returncode == 5
    assert [each["op"] for each in org.json("orders")] == ["wipe"]


def test_a_second_wipe_waits_for_the_first(org: Org, ana: Device) -> None:
    org.admin("wipe", "ana", "--reason", "lost")
    assert "already" in org.admin("wipe", "ana", "--reason", "lost").stdout
    assert len(org.json("orders")) == 1


def test_a_wiping_or_wiped_device_takes_no_other_order(org: Org, ana: Device) -> None:
    org.admin("wipe", "ana", "--reason", "lost")
    (wipe,) = org.json("orders")
    assert org.json("wipe", "ana", "--reason", "lost") == wipe
    for verb in ("lock", "unlock"):
        done = org.admin(verb, "ana", check=False)
        assert (done.returncode, "wiped or about to be" in done.stderr) == (1, True)
    ana.hand_in(ana.receipt(ana.ask().paper("order").data))
    for words in (["lock"], ["wipe", "--reason", "lost"], ["wipe", "--reason", "lost", "--wait", "1"]):
        done = org.admin(words[0], ana.enrolment, *words[1:], check=False)
        assert (done.returncode, done.stdout, "wiped" in done.stderr) == (1, "", True)
    assert org.json("orders") == [{**wipe, "state": "done", "reported": org.json("orders")[0]["reported"]}]


def test_sealed_files_are_handed_over_by_their_path(org: Org, ana: Device, tmp_path: Path) -> None:
    ana.add("customer", name="Unsent")
    (tmp_path / "outbox.seal").write_bytes(ana.sealed)
    done = org.admin("recover", "--file", str(tmp_path / "outbox.seal"), "--to", "ana")
    assert "1 change goes to “ana” (ana@example.com): 1 handed over now, 0 before." in done.stdout
    again = org.json("recover", "--file", str(tmp_path / "outbox.seal"), "--to", "ana")
    assert (again["changes"], again["handed_over"]) == (1, 0)
    for words in (["recover", "--to", "ana"], ["recover", "ana", "--file", "x", "--to", "ana"]):
        assert org.admin(*words, check=False).returncode == 2


def test_work_goes_to_another_person_only_when_that_is_meant(org: Org, server: Server, ana: Device) -> None:
    org.admin("person", "add", "bo@example.com", "--role", "rep", "--team", "Sales")
    line = Tls(server.url, None)
    bo = Device(line, "bo")
    bo.enrol(org.code("bo@example.com"))
    ana.add("customer", name="Unsent")
    org.admin("wipe", "ana", "--reason", "lost")
    ana.hand_in(ana.receipt(ana.ask().paper("order").data))
    done = org.admin("recover", "ana", "--to", "bo", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    for word in ("bo@example.com", "ana@example.com", "--other-person"):
        assert word in done.stderr
    assert not [paper for paper in bo.ask().papers if paper.kind == "recovered"]
    assert org.json("recover", "ana", "--to", "bo", "--other-person")["handed_over"] == 1
    assert [paper.kind for paper in bo.ask().papers if paper.kind == "recovered"] == ["recovered"]
    line.close()
    assert server.stop() == 0
    folders, _settings = config.load(org.data)
    store = config.open_store(folders)
    with store.read() as tx:
        verbs = [each.verb for each in tx.post.audit_lines() if each.object == ana.enrolment]
    store.close()
    assert verbs[-1] == f"recover for another person to {bo.enrolment}"


def test_a_name_moves_no_cursor_and_shows_as_it_is(org: Org, server: Server) -> None:
    name = "lap\u202etop\u200b"
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    line = Tls(server.url, None)
    device = Device(line, name)
    device.enrol(org.code("ana@example.com"))
    line.close()
    org.admin("lock", device.enrolment, "--reason", "left\u2028in a \u2066taxi")
    for words in (["devices"], ["orders"], ["lock", device.enrolment], ["unlock", device.enrolment]):
        shown = org.admin(*words).stdout
        assert "laptop" in shown
        assert all(c == "\n" or c.isprintable() for c in shown)
    (kept,) = org.json("devices")
    assert kept["name"] == name
    assert "\u202e" not in org.admin("devices", "--json").stdout


def test_tables_have_heads_and_say_when_there_is_nothing(org: Org) -> None:
    for verb, none in (("devices", "enrol-code"), ("orders", "No order"), ("refused", "no refused change")):
        done = org.admin(verb)
        assert (done.stdout, none in done.stderr) == ("", True)
        assert org.json(verb) == []
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "上海/销售")
    head, ana, it = org.admin("person", "list").stdout.splitlines()
    assert head.split() == ["person", "role", "team", "territory", "class", "devices", "left"]
    assert ana.split() == ["ana@example.com", "rep", "上海/销售", "restricted", "0"]
    assert it.split() == ["it@example.com", "it", "public", "0"]


def test_a_folder_of_somebody_else_is_refused_with_the_next_step(org: Org) -> None:
    (org.data / "server.json").chmod(0o644)
    done = org.admin("devices", check=False)
    assert (done.returncode, "chmod" in done.stderr) == (1, True)
    (org.data / "server.json").chmod(0o600)
    org.secrets.rename(org.folder / "elsewhere")
    done = org.admin("devices", check=False)
    assert (done.returncode, "secrets" in done.stderr, "init" in done.stderr) == (1, True, True)


def test_the_reader_may_go_before_the_end(org: Org) -> None:
    command = [str(org.scripts / "fieldkeep-admin"), "--data", str(org.data), "person", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.wait(30) == 1
        assert running.stderr is not None
        assert running.stderr.read() == b""


def test_the_socket_is_its_owners_alone(org: Org, server: Server) -> None:
    status = (org.data / "admin.sock").stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert status.st_mode & 0o777 == 0o600


def test_rubbish_on_the_socket_harms_nothing(org: Org, server: Server) -> None:
    asked = [
        b"\xff" * 64,
        struct.pack(">I", 2**31),
        struct.pack(">I", 3) + b"abc",
        struct.pack(">I", 6) + msgspec.msgpack.encode(("x", [])) + b"zz",
    ]
    for verb in ("_store", "url", "__init__", "devices"):
        question = msgspec.msgpack.encode({"verb": verb, "args": [1]})
        asked.append(struct.pack(">I", len(question)) + question)
    for data in asked:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(10)
            line.connect(str(org.data / "admin.sock"))
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass
    assert org.json("devices") == []
    assert "ERROR" not in server.log.read_text()
