"""What the command line says of people who leave, of the console's accounts, of devices and of a port in use."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from sync.compose import admin, consoles, people
from sync.console import desk, root_words
from tests.console.visitor import ConsoleInside
from tests.server.driver import Device
from tests.server.named import ED, second_admin
from tests.server.running import Org

ANA, BO, ED_AT = "ana@example.com", "bo@example.com", "ed@example.com"


@pytest.fixture
def inside(tmp_path: Path) -> ConsoleInside:
    return ConsoleInside(tmp_path)


@pytest.fixture
def laptop(inside: ConsoleInside) -> Device:
    made = inside.device(inside.person(ANA), "LAP-0388")
    inside.person(BO)
    return made


def asked(**words: object) -> argparse.Namespace:
    return argparse.Namespace(json=False, **words)


def leave(inside: ConsoleInside, capsys: pytest.CaptureFixture[str], email: str, to: str) -> str:
    people.leave(asked(email=email, to=to), inside.office)
    return capsys.readouterr().out


def test_of_a_laptop_that_has_not_met_the_lock_no_more_is_said_than_is_known(
    inside: ConsoleInside, laptop: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    said = leave(inside, capsys, ANA, BO)
    assert "“LAP-0388” is ordered to be locked" in said
    assert "“LAP-0388” is locked" not in said
    assert "By its last word, of 20" in said
    assert "it had sent everything" in said
    laptop.exchange([], unsent=2)
    again = leave(inside, capsys, ANA, BO)
    assert "By its last word, of 20" in again
    assert "2 unsent changes" in again
    people.listed(asked(), inside.office)
    rows = capsys.readouterr().out.splitlines()
    (ana,), (bo,) = ([row for row in rows if row.startswith(who)] for who in (ANA, BO))
    assert "20" in ana.split(ANA)[1]
    assert "20" not in bo


def test_an_admins_leaving_names_the_command_that_ends_the_power_to_wipe(
    inside: ConsoleInside, capsys: pytest.CaptureFixture[str]
) -> None:
    inside.person(ED_AT, role="it")
    second_admin(inside, "ed")
    said = leave(inside, capsys, ED_AT, "")
    assert "no records to give" in said
    assert f"root admin-drop {ED}" in said
    assert "root show" in said


def test_who_comes_back_is_said_to_be_back(
    inside: ConsoleInside, laptop: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(inside, capsys, ANA, BO)
    words = {"role": "rep", "team": "Sales", "territory": [], "own": False, "whole_team": False, "care": ""}
    people.add(asked(email=ANA, **words), inside.office)
    assert f"{ANA} is back" in capsys.readouterr().out


def test_the_console_lists_who_signs_in_and_by_what(
    inside: ConsoleInside, capsys: pytest.CaptureFixture[str]
) -> None:
    consoles.listed(asked(), inside.office)
    assert "console invite EMAIL" in capsys.readouterr().err
    inside.admin()
    inside.person(ED_AT, role="it")
    inside.office.console_invite(ED_AT)
    consoles.listed(asked(), inside.office)
    rows = capsys.readouterr().out.splitlines()
    (own,) = [row for row in rows if "it@example.com" in row]
    (ed,) = [row for row in rows if ED_AT in row]
    assert "password and number" in own
    assert "invited until 20" in ed
    inside.skew = 86_400_000
    assert [each.invited for each in inside.office.console_accounts()] == [0, 0]


def test_devices_show_the_enrolment_that_a_signer_compares(
    inside: ConsoleInside, laptop: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    admin._devices(asked(), inside.office)
    assert laptop.enrolment in capsys.readouterr().out


def test_a_root_says_admins_with_the_labels_of_their_keys(inside: ConsoleInside) -> None:
    second_admin(inside, "Ed's key")
    assert f"Admin {ED} (Ed's key):" in root_words.words_of(desk.root_of(inside.office))


def test_where_the_consoles_port_is_in_use_the_way_on_is_said(tmp_path: Path, scripts: Path) -> None:
    org = Org(tmp_path, scripts)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        org.init("--console-port", str(port))
        server = org.serve_command()
        assert server.stop() == 0
    log = server.log.read_text(encoding="utf-8")
    assert f"port {port}" in log
    assert "--console-port N" in log
    assert "next=--console-port" in log
