"""The keyring as it is read beside a start: only what is surely there, never in the way of the keyring's own word."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import secretstorage

from app.keys import beside
from tests.keys.conftest import Laptop, new_laptop
from tests.keys.test_ring_bad_days import a_keyring_of_its_own

VALUE = "cd" * 32


@pytest.fixture
def asked() -> Iterator[beside.Asked]:
    """The process, as a start has it."""
    beside.begin()
    made = beside._asked
    assert made is not None
    yield made
    beside.end()
    assert not psutil.pid_exists(made._process)


def test_it_says_what_the_keyring_holds_and_nothing_of_what_it_does_not(
    laptop: Laptop, asked: beside.Asked
) -> None:
    laptop.ring.set("ring.1", VALUE)
    assert beside.get(laptop.service, "ring.1") == VALUE
    assert beside.get(laptop.service, "share.1") is None
    laptop.ring.set("ring.1", VALUE[::-1])  # it asks anew each time
    assert beside.get(laptop.service, "ring.1") == VALUE[::-1]
    assert laptop.ring.delete("ring.1")
    assert beside.get(laptop.service, "ring.1") is None
    assert beside._asked is asked


def test_no_key_is_among_its_arguments_or_in_its_environment(laptop: Laptop, asked: beside.Asked) -> None:
    laptop.ring.set("ring.1", VALUE)
    assert beside.get(laptop.service, "ring.1") == VALUE
    process = psutil.Process(asked._process)
    told = " ".join([*process.cmdline(), *process.environ(), *process.environ().values()])
    assert VALUE not in told
    assert laptop.device not in told
    assert process.rlimit(psutil.RLIMIT_CORE)[0] == 0


def test_a_start_asks_it_and_nothing_else_of_the_keyring(laptop: Laptop, asked: beside.Asked) -> None:
    laptop.ring.set("ring.1", VALUE)
    other = new_laptop(laptop.profile.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secretstorage, "dbus_init", lambda: pytest.fail("asked from here"))
        ring = type(other.ring)(laptop.org, laptop.device)
        assert ring.get("ring.1") == VALUE


def test_one_that_was_killed_or_hangs_is_let_go_and_the_keyring_asked_from_here(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.ring.set("ring.1", VALUE)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        monkeypatch.setattr(beside, "_PATIENCE_S", 0.5)
        beside.begin()
        made = beside._asked
        assert made is not None
        os.kill(made._process, number)
        assert laptop.ring.get("ring.1") == VALUE
        assert beside._asked is None
        assert not psutil.pid_exists(made._process)


def test_it_asks_nobody_to_unlock_a_keyring(tmp_path: Path) -> None:
    with a_keyring_of_its_own(tmp_path / "home"):
        laptop = new_laptop(tmp_path / "profile")
        laptop.ring.set("ring.1", VALUE)
        beside.begin()
        try:
            assert beside.get(laptop.service, "ring.1") == VALUE
            with closing(secretstorage.dbus_init()) as bus:
                secretstorage.get_default_collection(bus).lock()
            assert beside.get(laptop.service, "ring.1") is None
            assert beside._asked is not None  # it answered, and at once
        finally:
            beside.end()
