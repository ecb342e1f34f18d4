"""A wipe comes while three windows stand open, something is half typed, a file goes up and much is written."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.changes import Changes
from app.paths import Profile
from app.services import acting, attachments
from app.services.acting import Act
from app.services.opening import open_session
from app.services.session import Session
from app.store import lists, narrowing
from app.store.bulk import Selection
from app.store.rowset import RowSet
from app.store.store import Store
from app.ui.importing import ImportPage
from app.viewmodels.bringing import Bringing
from app.viewmodels.notices import Screen
from sync.protocol.errors import KnownError
from sync.protocol.kinds import KINDS
from tests import forks
from tests.keyring_of_tests import device_entries
from tests.ui.driver import Driver
from tests.ui.organisation import Organisation, fill, sync

STOPPED_S = 2.0
LEFT = {"profile.lock", "tombstone.json"}
CUSTOMER = KINDS["customer"]
Opened = Callable[..., Driver]


@pytest.fixture
def laptop(org: Organisation, name: str, person: str) -> Profile:
    """A profile with enough in it for an export to take a while, and a file that has not gone up."""
    made = org.laptop(name, person)
    fill(made, many=6_000)
    with open_session(made) as session:
        source = made.folder.with_name(f"{name}.bin")
        source.write_bytes(os.urandom(2**20))
        attachments.attach(session, session.call(_first), source)
    return made


def _first(store: Store) -> bytes:
    return lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER)[:1])[0].id


def _exporting(
    session: Session, path: Path, go_on: threading.Event
) -> tuple[threading.Thread, threading.Event]:
    """An export of all customers, piece by piece, until something stops it; it is in its midst once `go_on` is set."""
    under_way = threading.Event()

    def work() -> None:
        last = session.call(lambda store: narrowing.last_rowid(store, store.shapes["customer"]))
        act = Act(session, acting.exporting(Selection(CUSTOMER, True, RowSet(), last=last, count=last), path))
        try:
            act.begin()
            act.piece()
            under_way.set()
            go_on.wait(60)  # until the order is being obeyed
            while act.piece() is not None:
                pass
            act.end(whole=True)
        except KnownError:
            return

    thread = threading.Thread(target=work)
    thread.start()
    return thread, under_way


class Watch:
    """When the order began to be obeyed, and when it was."""

    def __init__(self, session: Session) -> None:
        self.began = self.gone = 0.0
        self.wiping = threading.Event()
        session.bus.subscribe(self._heard)

    def _heard(self, changes: Changes) -> None:
        if changes.origin == "wipe":
            self.began = time.monotonic()
            self.wiping.set()
        elif changes.origin == "wiped":
            self.gone = time.monotonic()


@pytest.mark.parametrize("beside", ["export", "import"])
def test_all_of_it_stops_and_nothing_is_written_afterwards(
    opened: Opened, laptop: Profile, org: Organisation, name: str, person: str, tmp_path: Path, beside: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(acting, "PIECE", 20)
    driver = opened(laptop)
    session = driver.shell.session
    assert session is not None
    for title in ("Betatech", "Condax"):
        driver.choose(title)
        driver.press("Ctrl+T")
        driver.window.activateWindow()
        driver.until(driver.window.isActiveWindow)
    assert len(driver.work.torn.windows) == 2
    driver.press("Ctrl+N")
    driver.type("Half typed as the order came")
    device = next(each for each in org.admin("devices") if each["name"] == name)
    out = tmp_path / "out.csv"
    threads, watch = [], Watch(session)
    if beside == "export":
        thread, under_way = _exporting(session, out, watch.wiping)
        threads.append(thread)
        driver.until(under_way.is_set)
    else:
        source = tmp_path / "customers.csv"
        source.write_text("name,number\n" + "".join(f"Company {n},N{n}\n" for n in range(20_000)))
        bringing = Bringing(driver.desk, [source])
        page = ImportPage(bringing)
        driver.qtbot.addWidget(page)
        driver.until(lambda: bringing.may_apply)
        page._go.click()
        driver.until(lambda: bringing.busy)
    forks.wait_until(lambda: bool(_bulk()), "no process works beside the window")
    working = _bulk()
    org.admin("wipe", name, "--reason", "stolen", keys=True)
    driver.shell.try_now()
    driver.until(lambda: driver.shell.screen is Screen.WIPED and "stolen" in driver.shell.notice.body)
    assert 0 < watch.gone - watch.began < STOPPED_S
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert not psutil.wait_procs(working, 10)[1]
    driver.until(lambda: {path.name for path in laptop.folder.rglob("*") if path.is_file()} == LEFT)
    assert device_entries(device["id"].replace("-", "")) == {}
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".fieldkeep")] == []
    driver.close()
    assert {path.name for path in laptop.folder.rglob("*")} == LEFT
    fresh = org.laptop(f"{name}-new", person)
    org.admin("recover", device["id"], "--to", f"{name}-new", keys=True)
    sync(fresh)
    with open_session(fresh) as again:
        names = again.call(
            lambda store: [
                each.title for each in lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER))
            ]
        )
    assert "Half typed as the order came" in names


def _bulk() -> list[psutil.Process]:
    """Our own processes that write beside the window."""
    found = []
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found += [each] if any("bulk" in word for word in each.cmdline()) else []
    return found
