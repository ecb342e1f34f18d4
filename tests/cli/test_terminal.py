"""What a person sees on a terminal, and what a script gets from a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from sync.protocol import harmless
from sync.protocol.version import APP_VERSION
from tests.road import ANNA, Laptop, Town


@pytest.fixture(scope="module")
def laptop(town: Town) -> Laptop:
    """A laptop with two customers, one of them with wide characters."""
    made = town.laptop(ANNA)
    made.add("customer", name="上海蓝港", industry="Tea")
    made.add("customer", name="Blue Harbour", industry="Tea", notes="likes quinces")
    return made


def _on_terminal(laptop: Laptop, *words: str) -> tuple[int, str, str]:
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "app", "--profile", str(laptop.folder), *words]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=inner,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    ) as process:
        os.close(inner)
        said = b""
        while True:
            try:
                some = os.read(outer, 65_536)
            except OSError:  # the other end has gone
                break
            if not some:
                break
            said += some
        assert process.stderr is not None
        err = process.stderr.read().decode()
    os.close(outer)
    return process.returncode, said.decode().replace("\r\n", "\n"), err


def test_a_terminal_shows_a_table(laptop: Laptop) -> None:
    code, out, err = _on_terminal(laptop, "list", "customer", "--limit", "1")
    assert (code, err) == (0, "2 in all, 1 shown; --limit N shows more.\n")
    code, out, err = _on_terminal(laptop, "list", "customer")
    assert (code, err) == (0, "2 in all; --limit N shows fewer.\n")
    head, *rows = out.splitlines()
    assert head.split()[:3] == ["ID", "Name", "Industry"]
    column = harmless.width(head[: head.index("Industry")])
    assert [harmless.width(row[: row.index("Tea")]) for row in rows] == [column, column]
    code, out, err = _on_terminal(laptop, "search", "quinces")
    assert (code, err) == (0, "1 in all; --limit N shows fewer.\n")
    head, row = out.splitlines()
    assert head.split() == ["ID", "Kind", "Name", "found", "in", "Details"]
    assert row.split("  ")[1:4] == ["Customer", "Blue Harbour", "Notes"]
    _code, _out, err = _on_terminal(laptop, "search", "tea", "--limit", "1")
    assert err == "The best 1; --limit N shows more.\n"
    assert _on_terminal(laptop, "search", "nowhere") == (0, "", "Nothing found.\n")


def test_a_pipe_gets_tabs_and_may_be_closed(laptop: Laptop, tmp_path: Path) -> None:
    done = laptop.ask("list", "customer")
    assert (done.err, [line.count("\t") > 1 for line in done.out.splitlines()]) == ("", [True, True])
    assert laptop.ask("search", "nowhere").err == "Nothing found.\n"
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "app", "--profile", str(laptop.folder), "list", "customer"]
    closed = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_what_cannot_be_meant_is_said(laptop: Laptop, tmp_path: Path) -> None:
    assert "a whole number from 1" in laptop.ask("list", "customer", "--limit", "-1").err
    assert laptop.ask("--version").out == f"{APP_VERSION}\n"
    assert laptop.ask("search", "").err.splitlines()[0] == "There is nothing to find."
    twice = laptop.ask("add", "customer", "name=A", "name=B")
    assert (twice.code, twice.err) == (2, "“name” is named twice.\n")
    wrong = laptop.ask("add", "customer", "name=A", "employees=many")
    assert (wrong.code, wrong.err.startswith("employees: ")) == (1, True)
    folder = laptop.ask("export", "customer", str(tmp_path))
    assert (folder.code, folder.err.splitlines()[0]) == (1, f"{tmp_path} is a folder.")


def test_a_repair_says_on_a_terminal_how_far_it_is(laptop: Laptop) -> None:
    """The line goes when it is done; a script that reads both gets none of it."""
    far, err = pty.openpty()
    command = [sys.executable, "-m", "app", "--profile", str(laptop.folder), "doctor", "--repair"]
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    told = b""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, env=env
    ) as process:
        os.close(err)
        while True:
            try:
                some = os.read(far, 65_536)
            except OSError:  # the other end has gone
                break
            if not some:
                break
            told += some
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(far)
    assert (process.returncode, told.endswith(b"\r\x1b[K")) == (0, True)
    assert "…" in told.decode()
    assert out.startswith("All that was looked at holds")
    piped = laptop.ask("doctor", "--repair")
    assert (piped.code, piped.err) == (0, "")
