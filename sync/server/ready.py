"""Ready parts: for a person who gets a new device, all that they see, made ahead and handed out in sealed pieces.

A part is made of the very pages that a device of this person would be sent from the start of the history on, one after
another; who makes it is another process (`Maker`), which knows the form of a store. The key of a part is in memory
alone, so what lies on the disk is of no use without this server, and is thrown away at its start.

A part is for the rights under which it was made. Whoever has other rights by now gets none of it, piece by piece; what
changed behind its last page comes with the feed.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sync.protocol.errors import KnownError, Problem
from sync.protocol.messages import Cursor
from sync.protocol.ready import KEY_BYTES, PART_BYTES, Fed, Made
from sync.server import feed, logs, travel
from sync.server.access import Rights
from sync.server.db.base import Store
from sync.server.db.kept import Person
from sync.server.errors import RequestProblem
from sync.server.feed import Reader

LIFE_MS: Final = 24 * 3_600_000  # as long as an enrolment code
PARTS_MAX: Final = 4
BYTES_MAX: Final = 2**30  # of all parts
LEAST_ROWS: Final = 5_000  # fewer come as quickly page by page
STALE: Final = 4  # a part behind whose end more than a quarter as many numbers were given is made anew
STOP_S: Final = 5.0
AGAIN_MS: Final = 600_000  # after one could not be made, or was too small

# Makes the part of these pages, which goes into this folder under this id and key. Raises KnownError, OSError.
Maker = Callable[[Path, bytes, bytes, Iterator[Fed]], Made]


@dataclass(slots=True)
class Part:
    """One ready part. `offsets` are where its pieces begin in its file, and its end."""

    id: bytes
    key: bytes = field(repr=False)
    person: bytes
    rights: Rights
    cursor: Cursor
    made: Made
    path: Path
    offsets: list[int]
    ends: int


# Whose own changes none are: what the server itself has moved names no device, an empty one.
_NOBODY: Final = b"nobody"


class _SmallError(Exception):
    """So little is not worth a part."""


class Ready:
    """The parts of one server; `want` from any thread."""

    def __init__(self, store: Store, folder: Path, maker: Maker, now: Callable[[], int]) -> None:
        """`folder` is for parts alone: whatever is in it is thrown away."""
        self._store = store
        self._folder = folder
        self._maker = maker
        self._now = now
        self._lock = threading.Lock()
        self._parts: dict[bytes, Part] = {}  # by person
        self._tried: dict[bytes, int] = {}  # until when nobody tries for this person again
        self._wanted: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting: set[bytes] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to make what is wanted."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder, ignore_errors=True)  # of a run that was killed
            self._folder.mkdir(mode=0o700)
        self._thread = threading.Thread(target=self._run, name="fieldkeep-ready", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make no more; parts go with the process."""
        self._stopping = True
        self._wanted.put(None)
        if self._thread is not None:
            self._thread.join(STOP_S)  # the last page may be sent; who makes the part ends with its pipe
        with self._lock:
            for part in self._parts.values():
                _remove(part)
            self._parts.clear()

    def expect(self, person: bytes) -> None:
        """This person is about to get a new device: have a part made of what they see now."""
        with self._lock:
            self._tried.pop(person, None)
        self.want(person)

    def want(self, person: bytes) -> None:
        """Have a part made, unless one just came to nothing."""
        with self._lock:
            if person in self._waiting or self._tried.get(person, 0) > self._now():
                return
            self._waiting.add(person)
        self._wanted.put(person)

    def offered(self, person: Person, layout: bytes, head: int) -> Part | None:
        """A part for a device of this person with stores laid out so; where there is none, one is made for the next."""
        if travel.is_away(person):
            return None  # what is made for this person is for their devices at home
        with self._lock:
            part = self._alive(person)
        if part is not None and (head - part.cursor.seq) * STALE <= part.made.rows:
            return part if part.made.layout == layout else None
        self.want(person.id)
        return None

    def piece(self, person: Person, part_id: bytes, number: int) -> bytes:
        """A piece of a part. Raises RequestProblem where there is none, or none for this person any more."""
        with self._lock:
            part = self._alive(person) if not travel.is_away(person) else None
            if part is None or part.id != part_id or not 0 <= number < len(part.made.lengths):
                raise RequestProblem(Problem.NOT_HERE, why="no such part")
            begin, end = part.offsets[number : number + 2]
            try:
                with part.path.open("rb") as file:
                    file.seek(begin)
                    return file.read(end - begin)
            except OSError:
                raise RequestProblem(Problem.NOT_HERE, why="part lost") from None

    def make(self, person: bytes) -> Part | None:
        """Make the part of a person now, in this thread; None where it came to nothing."""
        id_, key = secrets.token_bytes(PART_BYTES), secrets.token_bytes(KEY_BYTES)
        path = self._folder / f"{id_.hex()}.part"
        pages = _Pages(self._store, person, lambda: self._stopping)
        try:
            made = self._maker(self._folder, id_, key, iter(pages))
        except (_SmallError, KnownError, OSError, RequestProblem) as problem:
            logs.note("ready", made=0, why=type(problem).__name__)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        offsets = [0]
        for length in made.lengths:
            offsets.append(offsets[-1] + length)
        assert pages.rights is not None  # noqa: S101 - it has read a page
        part = Part(id_, key, person, pages.rights, pages.cursor, made, path, offsets, self._now() + LIFE_MS)
        logs.note("ready", made=1, rows=made.rows, bytes=offsets[-1])
        self._keep(part)
        return part

    def _keep(self, part: Part) -> None:
        with self._lock:
            if (old := self._parts.pop(part.person, None)) is not None:
                _remove(old)
            self._parts[part.person] = part
            while len(self._parts) > PARTS_MAX or (
                len(self._parts) > 1 and sum(each.offsets[-1] for each in self._parts.values()) > BYTES_MAX
            ):
                _remove(self._parts.pop(next(iter(self._parts))))

    def _alive(self, person: Person) -> Part | None:
        """The part of this person, if it is still theirs; one that is not goes."""
        part = self._parts.get(person.id)
        if part is not None and (
            part.ends <= self._now() or part.rights != person.rights or part.cursor.scopes != person.scopes
        ):
            _remove(self._parts.pop(person.id))
            return None
        return part

    def _run(self) -> None:
        while (person := self._wanted.get()) is not None and not self._stopping:
            try:
                made = self.make(person)
            except Exception as error:  # noqa: BLE001 - whatever it is, devices come by pages, and the next is tried
                logs.fault("ready", error)
                made = None
            with self._lock:
                self._waiting.discard(person)
                if made is None:
                    self._tried[person] = self._now() + AGAIN_MS


class _Pages:
    """The pages of somebody who begins to read, for as long as their rights stay."""

    def __init__(self, store: Store, person: bytes, stopping: Callable[[], bool]) -> None:
        self._store = store
        self._person = person
        self._stopping = stopping
        self.rights: Rights | None = None
        self.cursor = Cursor()

    def __iter__(self) -> Iterator[Fed]:
        rows, more = 0, True
        while more:
            with self._store.read() as tx:
                person = tx.people.person(self._person)
                if person is None or self._stopping() or self.rights not in (None, person.rights):
                    raise RequestProblem(Problem.NOT_HERE, why="other rights")
                self.rights = person.rights
                reader = Reader(person.rights, (), person.scopes, _NOBODY, _NOBODY, 0)
                page = feed.page(tx, reader, self.cursor)
            rows += len(page.changes)
            if not page.more and rows < LEAST_ROWS:
                raise _SmallError
            self.cursor, more = page.cursor, page.more
            yield Fed(page.cursor, page.more, page.changes, page.conflicts)


def _remove(part: Part) -> None:
    with contextlib.suppress(OSError):
        part.path.unlink(missing_ok=True)
