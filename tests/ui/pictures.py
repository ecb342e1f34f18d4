"""Shoots every screen of the real window: light and dark, in every language, 100 %, 150 % and 200 %.

Run as `python -m tests.ui.pictures OUTDIR [--profile DIR]`, in a keyring session. Without a profile it makes an
organisation with sample records on the fly; with one it shoots what can be seen there without changing it. Each
language and scale takes a process of its own, because Qt settles the scale and the first Chinese family at its start.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop
from PySide6.QtWidgets import QApplication, QWidget

from app import compose
from app.commands import TODAY, TOTALS
from app.paths import Profile
from app.store.filters import Asks, Condition, Filter
from app.ui.kit.placeholder import Placeholder
from app.ui.run import Desktop, make_application
from app.ui.theme.style import Look
from app.ui.workplace import Workplace
from app.viewmodels.day import Whose
from app.viewmodels.desk import Desk
from app.viewmodels.notices import Screen
from app.viewmodels.today import Today
from app.viewmodels.totals import Totals
from sync.client.status import Phase, SyncStatus
from sync.protocol import texts
from tests.ui import sample
from tests.ui.organisation import COLLEAGUE, PERSON, Organisation, attach, fill, meet, organisation, plan
from tests.ui.pictures_beside import (
    shoot_attached,
    shoot_duplicates,
    shoot_pin,
    shoot_policy,
    shoot_syncing,
    shoot_torn,
)

WAIT_S = 30.0


class Camera:
    """One open desktop, and pictures of it in both looks."""

    def __init__(self, profile: Profile, outdir: Path, end: str, size: tuple[int, int] = (1440, 900)) -> None:
        self._outdir, self._end = outdir, end
        known = QApplication.instance()
        self.application = known if isinstance(known, QApplication) else make_application()
        self.desktop = Desktop(profile, self.application)
        self.shell, self.window = self.desktop.shell, self.desktop.window
        self.window.resize(*size)
        self.desktop.open()
        self.until(lambda: self.shell.screen is not Screen.STARTING)

    @property
    def work(self) -> Workplace:
        """The open workplace."""
        assert isinstance(self.window.shown, Workplace)
        return self.window.shown

    @property
    def desk(self) -> Desk:
        """What it knows."""
        assert self.shell.desk is not None
        return self.shell.desk

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition, and for what is due after it."""
        end = time.monotonic() + WAIT_S
        while not condition():
            self.turn()
            if time.monotonic() > end:
                raise TimeoutError("the window did not come so far")
        for _turn in range(10):
            self.turn()

    def turn(self) -> None:
        """Let the window do what is due."""
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        QCoreApplication.sendPostedEvents(None, int(QEvent.Type.DeferredDelete.value))

    def shoot(self, name: str, shown: QWidget | None = None) -> None:
        """One picture in each look, of the main window where no other is named."""
        for look in (Look.LIGHT, Look.DARK):
            self.desktop.theme.use(look)
            for _turn in range(4):
                QCoreApplication.processEvents()
            (shown or self.window).grab().save(str(self._outdir / f"{name}-{look}-{self._end}.png"))

    def choose(self, title: str) -> None:
        """Choose a record by its title."""
        desk = self.desk

        def place() -> int:
            rows = (desk.list.row(at) for at in range(desk.list.count()))
            return next((at for at, row in enumerate(rows) if row is not None and row.title == title), -1)

        self.until(lambda: place() >= 0)
        self.work.list.rows.choose(place())
        if desk.chosen is None:  # the row was chosen before, and its record left
            desk.choose(place())
        self.until(lambda: desk.detail is not None and desk.detail.record.title == title)

    def choose_again(self, title: str) -> None:
        """Go back to the list of customers, to one of them."""
        self.work.go("customer")
        self.choose(title)
        self.until(lambda: True)

    def close(self) -> None:
        """Close the window as a person does."""
        gone: list[bool] = []
        self.window.gone.connect(lambda: gone.append(True))
        self.window.close()
        self.until(lambda: gone)
        self.desktop.close()


def shoot_work(camera: Camera, title: str, query: str) -> None:
    """List with detail, form, search, pages."""
    camera.until(lambda: camera.desk.list.ready and camera.desk.counts is not None)
    camera.choose(title)
    camera.until(lambda: camera.shell.sync.last_ok)
    camera.shoot("main")
    camera.work.edit()
    camera.until(lambda: True)
    camera.shoot("form")
    camera.work.go("deal")
    camera.until(lambda: camera.desk.list.ready)
    camera.shoot("deals")
    camera.work.seek()
    camera.work.search.setText(query)
    camera.until(lambda: camera.desk.found.count())
    camera.work.list.onward()
    camera.until(lambda: camera.desk.detail is not None)
    camera.shoot("search")
    shoot_palette(camera, query)
    for section, name in (("conflicts", "conflicts"), ("settings", "settings"), ("keys", "keys")):
        camera.work.go(section)
        camera.until(lambda: camera.desk.met is not None or camera.desk.section != "conflicts")
        camera.shoot(name)
    shoot_figures(camera)
    camera.work.go("customer")


def shoot_figures(camera: Camera) -> None:
    """The day of oneself and of the team, and totals by stage, by owner and by month."""
    camera.work.go(TODAY)
    today = camera.desk.beside[TODAY]
    assert isinstance(today, Today)
    for whose in (Whose.MINE, Whose.TEAM):
        today.day = None
        today.ask(whose)
        today.look_again()
        camera.until(lambda: today.day is not None)
        camera.shoot(f"today-{whose}")
    camera.work.go(TOTALS)
    totals = camera.desk.beside[TOTALS]
    assert isinstance(totals, Totals)
    for by in ("stage", "owner", "close_on"):
        totals.ask(by=by)
        camera.until(lambda: totals.shown is not None and totals.shown.asked == totals.asked)
        camera.shoot(f"totals-{by}")


def shoot_palette(camera: Camera, query: str) -> None:
    """The palette with what was opened last, with answers of every group, with a command, with nothing found."""
    camera.work.go("customer")
    camera.until(lambda: camera.desk.list.ready and camera.desk.list.count())
    for at in range(min(6, camera.desk.list.count())):
        before = camera.desk.detail
        camera.work.list.rows.choose(at)
        while camera.desk.detail in (None, before):
            camera.turn()
        camera.work.asking.opened.keep()
    for text, name in (
        ("", "palette"),
        (query, "palette-found"),
        ("lo", "palette-do"),
        ("xyz 长", "palette-none"),
    ):
        camera.work.open_palette()
        palette = camera.work.asking.palette
        assert palette is not None
        palette.field.setText(text)
        while not palette.settled:
            camera.turn()
        camera.until(lambda: True)
        camera.shoot(name)
        palette.leave()


def shoot_lists(camera: Camera, title: str) -> None:
    """A list narrowed by chips, a condition being made, nothing found, rows selected, a field being set."""
    camera.work.go("customer")
    camera.choose(title)
    desk, pane = camera.desk, camera.work.list
    stages = Condition("stage", Asks.ONE_OF, ("lead", "prospect", "customer"))
    made = Condition("revenue", Asks.EMPTY)
    desk.sections.show(Filter((stages, Condition("owner", Asks.MINE), made)), "-changed")
    camera.until(lambda: desk.list.whole)
    camera.shoot("filter")
    pane.narrow()
    camera.until(lambda: pane.filter.editor is not None)
    camera.shoot("filter-new")
    pane.filter.chips()[0].click()
    camera.until(lambda: True)
    camera.shoot("filter-change")
    desk.sections.show(Filter(words="nobody at all"), "")
    camera.until(lambda: desk.list.whole and not desk.list.count())
    pane.filter.clear()
    desk.sections.show(Filter(words="nobody at all"), "")
    camera.until(lambda: desk.list.whole and not desk.list.count())
    camera.shoot("filter-nothing")
    pane.filter.clear()
    camera.until(lambda: desk.list.whole and desk.list.count() > 5)
    pane.rows.setFocus()
    desk.sections.picked.all()
    for at in (1, 3, 4):
        desk.sections.picked.toggle(at)
    camera.until(lambda: True)
    camera.shoot("selection")
    pane.selection.ask()
    camera.until(lambda: True)
    camera.shoot("selection-set")
    desk.sections.picked.clear()
    camera.until(lambda: True)


def shoot_narrow(camera: Camera, title: str) -> None:
    """The same window with less room."""
    camera.choose(title)
    for wide in (980, 720):
        camera.window.resize(wide, 800)
        for section in (TODAY, TOTALS):
            camera.work.go(section)
            camera.until(lambda: True)
            camera.shoot(f"narrow-{wide}-{section}")
        camera.choose_again(title)
        camera.shoot(f"narrow-{wide}")
    camera.work.open_palette()
    camera.until(lambda: True)
    camera.shoot("narrow-720-palette")
    camera.work.open_palette()
    camera.work.edit()
    camera.until(lambda: True)
    camera.shoot("narrow-720-form")
    camera.window.resize(1440, 900)


def _shoot_all(outdir: Path, language: str, percent: str, folder: Path) -> None:
    """Everything, from joining to the wipe, on laptops of this process alone."""
    end = f"{percent}-{language}"
    org = attach(folder)
    name = f"laptop-{end}"
    camera = Camera(Profile(folder / f"{name}-new"), outdir, end)
    camera.shoot("enrol")
    person = org.person(f"new-{end}".lower().replace("_", "-"))
    camera.shell.enrol(org.code(person), f"{name}-new")
    camera.until(lambda: camera.shell.screen is Screen.WORK and camera.desk.list.ready)
    camera.until(lambda: camera.shell.sync.phase is Phase.IDLE)
    camera.shoot("empty")
    for picture, status in (
        ("first-minutes", SyncStatus(Phase.SENDING, first=True, fetched=340, last_ok=1)),
        ("first-offline", SyncStatus(Phase.OFFLINE, first=True, last_ok=1)),
    ):
        camera.shell._stands(status)
        camera.until(lambda: True)
        camera.shoot(picture)
    for section in (TODAY, TOTALS):
        camera.work.go(section)
        camera.until(lambda: camera.work.findChildren(Placeholder)[-1].isVisible())
        camera.shoot(f"{section}-empty")
    camera.close()

    profile = org.laptop(name, PERSON)
    camera = Camera(profile, outdir, end)
    shoot_work(camera, sample.FIRST, "chen")
    shoot_torn(camera, sample.FIRST)
    shoot_duplicates(camera)
    shoot_syncing(camera)
    shoot_policy(camera)
    shoot_attached(camera, sample.FIRST)
    shoot_lists(camera, sample.FIRST)
    shoot_narrow(camera, sample.FIRST)
    camera.work.new()
    camera.until(lambda: True)
    camera.shoot("new")
    camera.work.detail.left.emit()
    camera.choose("Cancity")
    camera.work.delete()
    camera.until(lambda: camera.desk.aside is not None)
    camera.shoot("deleted")
    camera.work.undo()
    camera.work.lock()
    camera.until(lambda: camera.shell.screen is Screen.LOCK and not camera.shell.busy)
    camera.shoot("lock")
    camera.shell.locking.unlock()
    camera.until(lambda: camera.shell.screen is Screen.WORK and camera.desk.list.ready)
    shoot_pin(camera, org, name)
    _by_order(camera, org, name)
    camera.close()


def _by_order(camera: Camera, org: Organisation, name: str) -> None:
    org.admin("lock", name)
    camera.shell.try_now()
    camera.until(lambda: camera.shell.screen is Screen.LOCK)
    camera.shoot("lock-by-it")
    org.admin("wipe", name, "--reason", "Reported stolen", keys=True)
    camera.shell.try_now()
    camera.until(lambda: camera.shell.screen is Screen.WIPED and camera.shell.notice.body)
    camera.shoot("wiped")


def _shoot_profile(outdir: Path, language: str, percent: str, profile: Profile) -> None:
    """What can be seen in a profile that is there."""
    camera = Camera(profile, outdir, f"{percent}-{language}")
    if camera.shell.screen is Screen.WORK:
        camera.until(lambda: camera.desk.list.ready and camera.desk.counts is not None)
        first = camera.desk.list.row(0)
        title = first.title if first is not None else ""
        shoot_work(camera, title, title[:3])
    else:
        camera.shoot(str(camera.shell.screen))
    camera.close()


def main() -> int:
    """Shoot every language and scale, each in its own process; exit code 1 if one of them failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("outdir", type=Path)
    options.add_argument("--profile", type=Path)
    options.add_argument("--languages", nargs="+", default=["en", "zh_CN", "zh_TW"])
    options.add_argument("--percents", nargs="+", default=["100", "150", "200"])
    options.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.child:
        language, percent, folder = args.child
        compose.prepare()
        texts.use(language)
        if args.profile:
            _shoot_profile(args.outdir, language, percent, Profile(args.profile))
        else:
            _shoot_all(args.outdir, language, percent, Path(folder))
        return 0
    args.outdir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if args.profile:
            return _children(args, folder)
        with organisation(Path(folder)) as org:
            one, other = org.laptop("laptop-one"), org.laptop("laptop-other", COLLEAGUE)
            fill(one, many=240)
            plan(one)
            meet(one, other)
            return _children(args, folder)


def _children(args: argparse.Namespace, folder: str) -> int:
    failed = 0
    for language in args.languages:
        for percent in args.percents:
            env = {
                **os.environ,
                "QT_QPA_PLATFORM": "offscreen",
                "QT_SCALE_FACTOR": str(int(percent) / 100),
                "LC_ALL": "C.UTF-8",
            }
            command = [sys.executable, "-m", "tests.ui.pictures", str(args.outdir)]
            if args.profile:
                command += ["--profile", str(args.profile)]
            command += ["--child", language, percent, folder]
            failed |= subprocess.run(command, env=env, check=False).returncode
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main())
