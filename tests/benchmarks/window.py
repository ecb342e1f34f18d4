"""Measures inside the desktop's own process: `python -m tests.benchmarks.window ACT PROFILE` prints JSON.

`typing` and `scrolling` change nothing; `applying` writes 100,000 rows of a server into the profile given.
"""

from __future__ import annotations

import json
import linecache
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.changes import SYNC, Changes
from app.keys import beside
from app.paths import Profile
from app.services.on_worker import on_worker
from app.services.session import Session
from app.store import lists
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.kinds import KINDS
from sync.protocol.messages import PAGE_ROWS, Change, Cursor
from tests.benchmarks import book, names
from tests.benchmarks.held import held
from tests.benchmarks.seen import Shown, all_here, let_run, wait_for

TYPED: Final = (
    "alderb", "anna sm", "müller", "berlin gmbh", "王芳", "科技", "上海 贸易", "шевченко", "김", "7760", "k.mueller12",
)  # fmt: skip
STEPS: Final = 150
BEAT_MS: Final = 2
ROWS: Final = 100_000


def typing(profile: Profile) -> dict[str, Any]:
    """Every letter of some texts, from the key to the painted results; and bare repaints of the same rows."""
    shown = Shown(profile)
    took: list[float] = []
    bare: list[float] = []
    by_text: dict[str, list[float]] = {}
    for text in (*TYPED[:2], *TYPED):  # the first ones once more: nothing is warm at first
        _clear(shown)
        for at, letter in enumerate(text, 1):
            wanted = text[:at]
            here = partial(_found, shown, wanted.strip())
            took.append(shown.painted.after(partial(_type, shown, letter), here))
            by_text.setdefault(wanted, []).append(took[-1])
            if at == len(text):
                bare += _repaints(shown, 10)
    _clear(shown)
    full = _repaints(shown, 50)
    shown.close()
    slowest = sorted(((statistics.median(each), text) for text, each in by_text.items()), reverse=True)[:5]
    return {"keys": took[-sum(map(len, TYPED)) :], "bare": [*bare, *full], "slowest": slowest}


def typed(shown: Shown, text: str, pause_ms: int) -> list[float]:
    """Type a text anew; milliseconds from each key to its painted results."""
    took = []
    shown.search.clear()
    for at, letter in enumerate(text, 1):
        here = partial(_found, shown, text[:at].strip())
        took.append(shown.painted.after(partial(_type, shown, letter), here))
        let_run(pause_ms)
    return took


def _found(shown: Shown, text: str) -> bool:
    found = shown.desk.found
    return found.ready and found.text.strip() == text and found.answered == text and all_here_or_none(shown)


def all_here_or_none(shown: Shown) -> bool:
    """Whether what the list shows is whole; nothing found is whole as well."""
    return shown.rows.model().rowCount() == shown.desk.rows.count() and (
        not shown.desk.rows.count() or all_here(shown.rows)
    )


def _clear(shown: Shown) -> None:
    """Empty the search field; the whole list is there again."""
    if shown.search.text():
        shown.painted.after(shown.search.clear, lambda: not shown.desk.finding and all_here(shown.rows))


def _type(shown: Shown, letter: str) -> None:
    shown.search.setFocus()
    if letter.isascii():
        QTest.keyClicks(shown.search, letter)
    else:
        shown.search.insert(letter)


def _repaints(shown: Shown, times: int) -> list[float]:
    took = []
    for _time in range(times):
        began = time.perf_counter()
        shown.rows.viewport().repaint()
        took.append((time.perf_counter() - began) * 1000)
    return took


def scrolling(profile: Profile) -> dict[str, Any]:
    """Wheel steps down from several places, and jumps to anywhere, until every row in view is painted."""
    shown = Shown(profile)
    draw = random.Random(5)
    bar = shown.rows.verticalScrollBar()
    here = partial(all_here, shown.rows)
    steps: list[float] = []
    jumps: list[float] = []
    for _place in range(5):
        shown.painted.after(partial(bar.setValue, draw.randrange(bar.maximum() * 9 // 10)), here)
        for _step in range(STEPS // 5):
            steps.append(shown.painted.after(partial(_wheel, shown), here))
            let_run(5)
    for _jump in range(STEPS):
        jumps.append(
            shown.painted.after(partial(bar.setValue, draw.randrange(bar.maximum() * 9 // 10)), here)
        )
        let_run(5)
    bare = _repaints(shown, 50)
    shown.close()
    return {"steps": steps, "jumps": jumps, "bare": bare, "whole_s": shown.whole_s}


def _wheel(shown: Shown) -> None:
    viewport = shown.rows.viewport()
    middle = QPointF(viewport.rect().center())
    event = QWheelEvent(
        middle, QPointF(viewport.mapToGlobal(middle.toPoint())), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


class Beat:
    """A timer that should ring every two milliseconds, and by how much it is late."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._due = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._ring)

    def start(self) -> None:
        """Begin a new list of delays."""
        self.late = []
        self._due = time.perf_counter() + BEAT_MS / 1000
        self._timer.start()

    def stop(self) -> list[float]:
        """End; milliseconds of delay of each ring."""
        self._timer.stop()
        return self.late

    def _ring(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._due) * 1000))
        self._due = now + BEAT_MS / 1000


def applying(profile: Profile, rows: int = ROWS) -> dict[str, Any]:
    """Delays of the loop, idle and while pages of a server are laid in; then the same while somebody types."""
    shown = Shown(profile)
    session = shown.desktop.shell._session
    assert session is not None
    pages = list(_pages(session, rows))
    beat = Beat()
    let_run(2000)
    beat.start()
    let_run(5000)
    idle = beat.stop()
    half = len(pages) // 2
    quiet, quiet_rate, _keys = _lay(shown, session, pages[:half], beat)
    busy, busy_rate, keys = _lay(shown, session, pages[half:], beat, type_too=True)
    shown.close()
    return {
        "idle": idle, "quiet": quiet, "quiet_rate": quiet_rate, "typing": busy, "typing_rate": busy_rate,
        "keys": keys,
    }  # fmt: skip


def _lay(
    shown: Shown, session: Session, pages: list[bytes], beat: Beat, *, type_too: bool = False
) -> tuple[list[float], float, list[float]]:
    """Delays, rows a second, and the milliseconds from key to results when somebody types meanwhile."""
    took: list[float] = []
    thread = threading.Thread(target=lambda: took.append(_apply(session, pages)))
    beat.start()
    thread.start()
    keys: list[float] = []
    if type_too:
        while thread.is_alive():
            for text in TYPED:
                keys += typed(shown, text, 50)
                if not thread.is_alive():
                    break
    else:
        wait_for(lambda: not thread.is_alive(), 600_000)
    late = beat.stop()
    thread.join()
    shown.search.clear()
    return late, len(pages) * PAGE_ROWS / took[0], keys


def _apply(session: Session, pages: list[bytes]) -> float:
    """Decode and lay in each page as the engine does, in a thread of its own; seconds."""
    decoder = msgspec.msgpack.Decoder(list[Change])
    laying = session.laying()
    replica = on_worker(session, laying)
    assert replica is not None
    cursor = replica.position().cursor
    began = time.perf_counter()
    for number, body in enumerate(pages, 1):
        changes = decoder.decode(body)
        seq = cursor.seq + number
        answer = Answer(Cursor(epoch=cursor.epoch, seq=seq, scopes=cursor.scopes, schema=cursor.schema), 0, 0,
                        changes=changes)  # fmt: skip
        applied = replica.apply(answer)
        session.tell(Changes(tuple(applied.records), SYNC))
    took = time.perf_counter() - began
    laying.rest()
    return took


def _pages(session: Session, rows: int) -> Iterator[bytes]:
    """Bodies of pages: half of the rows are new customers, half are changes of customers that are here."""
    dice = names.Dice(31)
    kind = KINDS["customer"]
    there = session.call(_some, rows // 2)
    draw = iter(there)
    ver = 100_000_000
    for _page in range(rows // PAGE_ROWS):
        changes = []
        for row in range(PAGE_ROWS):
            ver += 1
            known = next(draw, None) if row % 2 else None
            if known is None:
                values = book.customer(dice, names.tongue(dice), 7_000_000 + ver % 1_000_000)
                id_ = book.record_id(dice, 0.999)
            else:
                id_, values = known[0], {**known[1], "industry": f"Trade {ver % 500}"}
            cells = {cell: Raw(pack(value)) for cell, value in kind.cells(values).items()}
            hlc = book.LAST_MS + ver % 1_000_000 << 16
            changes.append(
                Change(kind="customer", id=id_, ver=ver, cells=cells, person=book.owner(1), hlc=hlc)
            )
        yield msgspec.msgpack.encode(changes)


def _some(store: Store, count: int) -> list[tuple[bytes, dict[str, Any]]]:
    every = lists.ids(store, KINDS["customer"])
    step = max(1, len(every) // max(1, count))
    rowids = every[::step][:count]
    random.Random(3).shuffle(rowids)
    return [(one.id, one.values) for one in lists.by_rowids(store, KINDS["customer"], rowids)]


def memory(profile: Profile) -> dict[str, Any]:
    """What the process holds with the list open, after some scrolling and searching."""
    beside.begin()  # as the front door does: what speaks with the keyring is not loaded here
    linecache.clearcache()  # PySide has read every source that was imported here; app.ui keeps it from that
    shown = Shown(profile)
    beside.end()
    let_run(1000)
    first = held()
    bar = shown.rows.verticalScrollBar()
    draw = random.Random(5)
    for _jump in range(100):
        shown.painted.after(
            partial(bar.setValue, draw.randrange(bar.maximum())), partial(all_here, shown.rows)
        )
    for letter in "anna":
        _type(shown, letter)
        let_run(300)
    used = held()
    shown.close()
    return {"open": first, "used": used}


ACTS: Final[dict[str, Callable[[Profile], dict[str, Any]]]] = {
    "typing": typing, "scrolling": scrolling, "memory": memory,
}  # fmt: skip


def main() -> int:
    """Measure one act and print it."""
    from tests.benchmarks.at_once import at_once  # it needs what is here

    act, folder, *more = sys.argv[1:]
    profile = Profile(Path(folder))
    writing = {"applying": applying, "at_once": at_once}
    found = writing[act](profile, int(more[0])) if act in writing else ACTS[act](profile)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
