"""The lines that devices hold open, and who of them is told that there is something: all of it on the loop's thread.

A poke carries nothing and may be lost: the next exchange of the device brings what there is. So what a commit says is
kept as circles of people and names of devices, however many commits come; lines are told at a bounded rate, each with
a pause in between; and while requests wait for their turn, nobody is called to make more of them. Orders go first.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from sync.protocol.messages import BEAT, BEAT_S, POKE
from sync.server import limits, logs
from sync.server.access import Circle
from sync.server.auth import Session
from sync.server.db.news import News

STEP_S: Final = 0.02  # between two looks at what is to be told
PER_STEP: Final = 5  # lines told in one step: 250 exchanges a second are half of what a core answers
REST_S: Final = 0.3  # between two pokes of one line
STUCK_S: Final = 60.0  # a line that takes nothing for so long is let go
_LOOK_S: Final = 1.0  # between two looks at who needs a heartbeat
_EVERYBODY: Final = "everybody"

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_START: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
    (b"connection", b"close"),
)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose line it is, and what of the news concerns it."""

    enrolment: str
    person: bytes
    circles: frozenset[Circle]


class Held:
    """One line. With `wait_s` it is told once, at the latest after so many seconds, and ends by that."""

    __slots__ = ("audience", "ends", "owner", "send", "session", "since", "task", "wait_s")

    def __init__(self, audience: Audience, session: Session, send: Send, wait_s: int) -> None:
        self.audience = audience
        self.session = session
        self.send = send
        self.wait_s = wait_s
        self.ends = False  # it is let go with the next poke
        self.owner = asyncio.current_task()
        self.task: asyncio.Task[None] | None = None
        self.since = 0.0

    async def say(self, *said: bytes, more: bool, first: bool) -> None:
        """Send this; the last of it ends the line."""
        with contextlib.suppress(OSError, RuntimeError):  # it has ended meanwhile
            if first:
                await self.send({"type": "http.response.start", "status": 200, "headers": list(_START)})
            for each in said:
                await self.send({"type": "http.response.body", "body": each, "more_body": True})
            if not more:
                await self.send({"type": "http.response.body", "body": b"", "more_body": False})


class Events:
    """The lines that are held now, by their devices and by the circles that their persons stand in."""

    def __init__(self, alive: Callable[[Session], bool]) -> None:
        """`alive` says whether a session still runs."""
        self.in_work: Callable[[], int] = lambda: 0  # how many requests wait or are worked on
        self.most = limits.LINES
        self.changes = (
            0  # how often somebody's circles have changed: who was looked up before that looks again
        )
        self.told = 0  # pokes, ever
        self._alive = alive
        self._lines: dict[str, Held] = {}
        self._circles: dict[Circle | str, set[Held]] = {}
        self._beats: OrderedDict[Held, float] = OrderedDict()
        self._urgent: OrderedDict[Held, None] = OrderedDict()
        self._due: OrderedDict[Held, None] = OrderedDict()
        self._resting: OrderedDict[Held, float] = OrderedDict()
        self._again: set[Held] = set()
        self._lock = threading.Lock()
        self._news: dict[Circle, str] = {}  # by whom; "" for several
        self._named = News()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._works: list[asyncio.Task[None]] = []
        self._over = False

    # -- from any thread

    def hear(self, news: News) -> None:
        """Something was committed. Costs the same however much has come and nobody was told yet."""
        loop = self._loop
        if loop is None:
            return
        with self._lock:
            for circle in news.circles:
                self._news[circle] = news.by if self._news.get(circle, news.by) == news.by else ""
            self._named.filed |= news.filed
            self._named.ordered |= news.ordered
            self._named.moved |= news.moved
            self._named.wiped |= news.wiped
            self._named.everybody |= news.everybody
        with contextlib.suppress(RuntimeError):  # the loop has ended: so have the lines
            loop.call_soon_threadsafe(self._wake.set)

    # -- on the loop

    def start(self) -> None:
        """Begin; called on the loop."""
        self._loop = asyncio.get_running_loop()
        self._works = [asyncio.create_task(self._tell()), asyncio.create_task(self._beat())]

    def close(self) -> None:
        """End every line; no other is taken."""
        self._over = True
        for line in list(self._lines.values()):
            self._end(line)

    async def stop(self) -> None:
        """End the work beside them."""
        self.close()
        self._loop = None
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    @property
    def full(self) -> bool:
        """Whether no line more can be held."""
        return self._over or len(self._lines) >= self.most

    @property
    def held(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def join(
        self, audience: Audience, session: Session, send: Send, wait_s: int = 0, changes: int | None = None
    ) -> Held:
        """Hold a line, in the place of another one of the same device.

        Where circles have changed since there were so many `changes`, it is told, and comes back as what it is now.
        """
        former = self._lines.get(audience.enrolment)
        if former is not None:
            self._end(former)
            self.leave(former)
        line = Held(audience, session, send, wait_s)
        self._lines[audience.enrolment] = line
        for circle in self._of(audience):
            self._circles.setdefault(circle, set()).add(line)
        self._beats[line] = self._now() + (wait_s or BEAT_S)
        if not wait_s:
            self._say(line, BEAT, first=True)
        if self._over:
            self._end(line)
        elif changes not in (None, self.changes):
            line.ends = True
            self._notice(line)
            self._wake.set()
        return line

    def leave(self, line: Held) -> None:
        """This line is over."""
        if self._lines.get(line.audience.enrolment) is line:
            del self._lines[line.audience.enrolment]
        for circle in self._of(line.audience):
            lines = self._circles.get(circle)
            if lines is not None:
                lines.discard(line)
                if not lines:
                    del self._circles[circle]
        for places in (self._beats, self._urgent, self._due, self._resting):
            places.pop(line, None)
        self._again.discard(line)

    def _of(self, audience: Audience) -> list[Circle | str]:
        return [*audience.circles, ("is", audience.person)]

    # -- telling

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                self._spread()
                self._release()
            except Exception as error:  # noqa: BLE001 - a fault of ours must not leave all others untold for good
                logs.fault("fault", error)
            if self._urgent or self._due or self._resting:
                self._wake.set()
                await asyncio.sleep(STEP_S)

    def _spread(self) -> None:
        """Find the lines that the news concern; once for all commits since the last time."""
        with self._lock:
            circles, self._news = self._news, {}
            named, self._named = self._named, News()
        for enrolment in named.wiped:
            if (line := self._lines.get(enrolment)) is not None:
                self._end(line)
        for enrolment in named.ordered:
            if (line := self._lines.get(enrolment)) is not None:
                line.ends = True
                self._notice(line, urgent=True)
        for person in named.moved:
            for line in self._circles.get(("is", person), ()):
                line.ends = True
                self._notice(line)
        self.changes += bool(named.ordered or named.moved)
        for enrolment in named.filed:
            if (line := self._lines.get(enrolment)) is not None:
                self._notice(line)
        if named.everybody:
            for line in self._lines.values():
                self._notice(line)
        for circle, by in circles.items():
            for line in self._circles.get(circle, ()):
                if line.audience.enrolment != by:
                    self._notice(line)

    def _notice(self, line: Held, *, urgent: bool = False) -> None:
        if urgent:
            self._due.pop(line, None)
            self._resting.pop(line, None)
            self._urgent[line] = None
        elif line in self._resting:
            self._again.add(line)
        elif line not in self._urgent:
            self._due[line] = None

    def _release(self) -> None:
        """Tell some of those who are due, the longest first."""
        now = self._now()
        while self._resting and next(iter(self._resting.values())) <= now:
            line, _until = self._resting.popitem(last=False)
            if line in self._again:
                self._again.discard(line)
                self._due[line] = None
        for _each in range(PER_STEP):
            if self._urgent:
                line, _none = self._urgent.popitem(last=False)
            elif self._due and self.in_work() < limits.POKED_IN_WORK:
                line, _none = self._due.popitem(last=False)
            else:
                return
            self._poke(line, now)

    def _poke(self, line: Held, now: float) -> None:
        if not self._say(line, POKE, more=not (line.ends or line.wait_s), first=bool(line.wait_s)):
            self._again.add(line)  # what was said before is not gone yet
        else:
            self.told += 1
        self._resting[line] = now + REST_S
        if line in self._beats and not line.wait_s:
            self._beats[line] = now + BEAT_S
            self._beats.move_to_end(line)

    def _say(self, line: Held, *said: bytes, more: bool = True, first: bool = False) -> bool:
        """Send this unless something else is on its way; a line that takes nothing is let go."""
        now = self._now()
        if line.task is not None and not line.task.done():
            if now - line.since > STUCK_S and line.owner is not None:
                line.owner.cancel()
            return False
        line.since = now
        line.task = asyncio.create_task(line.say(*said, more=more, first=first))
        return True

    def _end(self, line: Held) -> None:
        if not self._say(line, more=False, first=bool(line.wait_s)) and line.owner is not None:
            line.owner.cancel()

    # -- heartbeats

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._now()
            for line in [line for line, at in self._beats.items() if at <= now]:
                self._look_after(line, now)

    def _look_after(self, line: Held, now: float) -> None:
        if line.wait_s:
            self._beats.pop(line, None)
            self._say(line, BEAT, more=False, first=True)
        elif not self._alive(line.session):
            self._beats.pop(line, None)
            self._end(line)
        else:
            self._say(line, BEAT)
            self._beats[line] = now + BEAT_S
            self._beats.move_to_end(line)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
