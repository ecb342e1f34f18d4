"""A laptop of the simulator: a real store, the real engine's exchange, and a wire on which a fault may be staged."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import comparing, outbox, ready
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client import cycle
from sync.client import ready as fetching
from sync.client.comparing import Comparison
from sync.client.errors import ExchangeError, ServerRefused, Unreachable
from sync.client.holding_back import HoldingBack
from sync.client.line import Identity, Line
from sync.client.ports import Standing
from sync.protocol import messages
from sync.protocol.documents import Document
from sync.protocol.errors import Problem
from sync.protocol.messages import Paper, Person
from sync.protocol.ops import Op
from sync.protocol.signing import Envelope
from sync.server.errors import RequestProblem

OPS_AT_ONCE: Final = 3


class Small(StoreReplica):
    """Hands out few ops at once, so that an outbox takes several exchanges."""

    def take(self, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
        """The next waiting ops."""
        return super().take(min(ops_max, OPS_AT_ONCE), bytes_max, after)


class Power(BaseException):
    """A process ends here; nothing may catch it."""


class Far(Protocol):
    """The server as the wire sees it."""

    def session(self, body: bytes) -> bytes:
        """The answer to a sign-in."""

    def exchange(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """The answer to an exchange."""

    def still(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """The answer to whoever has nothing to say."""

    def offer(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """A ready part, or none."""

    def ready_piece(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """A piece of it."""

    def blob_put(self, body: bytes) -> bytes:
        """The answer to who brings a piece of a file."""

    def blob_get(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """A piece of a file."""

    def records(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Records by id."""

    def dies_at(self, step: str) -> None:
        """End at this step of the next request; "" for never."""


class Plain:
    """What a server answers that knows of exchanges alone."""

    def still(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """It does not know that."""
        raise RequestProblem(Problem.NOT_HERE, why="earlier")

    def offer(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Nor that."""
        raise RequestProblem(Problem.NOT_HERE, why="earlier")

    def ready_piece(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Nor that."""
        raise RequestProblem(Problem.NOT_HERE, why="earlier")

    def records(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Nor that."""
        raise RequestProblem(Problem.NOT_HERE, why="earlier")

    def blob_put(self, body: bytes) -> bytes:
        """Nor that."""
        raise RequestProblem(Problem.NOT_HERE, why="earlier")

    def blob_get(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Nor that."""
        raise RequestProblem(Problem.NOT_HERE, why="earlier")


@dataclass
class Wire:
    """Bytes from a laptop to the server and back, unless something is staged for them."""

    far: Far
    fate: str = ""

    def get(self, path: str) -> bytes:
        """Nothing is fetched in an exchange."""
        raise AssertionError(path)

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """One request; a staged fault comes to an exchange and not to the sign-in before it."""
        if path == messages.SESSION_PATH:
            return self._asked(lambda: self.far.session(body))
        if path == messages.BLOB_PUT_PATH:
            return self._asked(lambda: self.far.blob_put(body))
        asked = {
            messages.EXCHANGE_PATH: self.far.exchange,
            messages.STILL_PATH: self.far.still,
            messages.READY_PATH: self.far.offer,
            messages.READY_PIECE_PATH: self.far.ready_piece,
            messages.BLOB_GET_PATH: self.far.blob_get,
            messages.RECORDS_PATH: self.far.records,
        }[path]
        fate, self.fate = self.fate, ""
        if fate == "cut":
            raise _unreachable()
        if fate.startswith("dies "):
            self.far.dies_at(fate.removeprefix("dies "))
        answer = self._asked(lambda: asked(headers, path, body))
        if fate == "twice":  # a proxy that lost the answer asks once more, and hands on what it gets then
            answer = self._asked(lambda: asked(headers, path, body))
        if fate == "deaf":
            raise _unreachable()
        return answer[: len(answer) * 2 // 3] if fate == "torn" else answer

    def begin(self, path: str, body: bytes, headers: dict[str, str], media: str) -> Callable[[], bytes]:
        """One request, whose answer waits until somebody asks for it."""
        try:
            answer = self.post(path, body, headers, media)
        except (ServerRefused, Unreachable) as problem:
            told = problem

            def fail() -> bytes:
                raise told

            return fail
        return lambda: answer

    def _asked(self, ask: Callable[[], bytes]) -> bytes:
        try:
            return ask()
        except RequestProblem as problem:
            raise ServerRefused(problem.trouble, problem.title, problem.hint) from None
        except Power:
            self.far.dies_at("")
            raise _unreachable() from None


def _unreachable() -> Unreachable:
    return Unreachable("No answer.", "It goes on by itself.")


@dataclass
class Book:
    """A book of orders of a device that gets none."""

    papers: int = 0

    def standing(self) -> Standing:
        """Active, with a lease that is long enough not to ask for one at each exchange."""
        return Standing(
            state=cycle.ACTIVE, lease_left_ms=2**40, policy_version=1, root_version=1, order_head=0, obeyed={}
        )

    def take_papers(self, papers: list[Paper], nonce: str) -> None:
        """Count them."""
        self.papers += len(papers)

    def shares_held(self, epochs: list[int]) -> None:
        """Nothing is turned here."""

    def kept_share(self, digest: bytes) -> None:
        """Nothing is given to the server here."""

    def heard(self, server_time: int, obeyed: dict[str, str], person: Person) -> None:
        """Contact was made."""


@dataclass(frozen=True)
class Card:
    """Whose laptop it is, and how it signs in."""

    person: str
    org: str
    enrolment: str
    device: bytes
    incarnation: bytes
    sign: Callable[[Document], Envelope]
    key: bytes
    recovery: bytes


@dataclass
class Laptop:
    """One laptop: its folder, and its store while it is on."""

    folder: Path
    card: Card
    far: Far
    now: Callable[[], int]
    skew: int = 0
    holds_back: bool = True  # what would leave without a reason; an earlier version took it
    was_put_back: bool = False
    wire: Wire = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.far)
        self.line = self._line()
        self.start()

    def clock(self) -> int:
        """What this laptop takes the time to be, in UTC milliseconds."""
        return self.now() + self.skew

    def start(self) -> None:
        """Turn it on: the store is opened, a new line stands."""
        self.store = Store.open(
            Profile(self.folder), SecretBytes(self.card.key), recovery=self.card.recovery, clock=self.clock
        )
        self.line = self._line()
        self.back = HoldingBack() if self.holds_back else None

    def crash(self) -> None:
        """Turn it off and on: whatever was in memory is gone."""
        self.store.close()
        self.start()

    def copy(self) -> None:
        """Back up its disk."""
        self.store.close()
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self.folder, self._copy)
        self.start()

    def put_back(self) -> None:
        """Put the disk back as it was copied last."""
        if not self._copy.is_dir():
            return
        self.store.close()
        shutil.rmtree(self.folder)
        shutil.copytree(self._copy, self.folder)
        self.was_put_back = True
        self.start()

    def exchange(self, fate: str = "") -> cycle.Page:
        """One exchange. Raises ExchangeError; after a crash, Power."""
        crash = int(fate.removeprefix("crash ")) if fate.startswith("crash ") else 0
        self.wire.fate = "" if crash else fate

        def step(number: int) -> None:
            if number == crash:
                raise Power

        try:
            page = cycle.exchange(Small(self.store), Book(), self.line, step, self.back)
        finally:
            self.wire.fate = ""
        if not page.more:
            self._ask()
        return page

    def _ask(self) -> None:
        """Ask about what is left of a lost history, as a session does behind its exchanges; whoever waits goes on."""
        ids, _after = comparing.unspoken(self.store)
        if not ids:
            return
        position = StoreReplica(self.store).position()
        with contextlib.suppress(ExchangeError):
            for some in Comparison(self.line, position, total_s=0).records(ids):
                comparing.hear(self.store, some.changes)

    def fetch(self, fate: str, meanwhile: Callable[[], None]) -> None:
        """Take the ready part of this person, as a session does; `meanwhile` happens before its pieces are asked for.

        Raises ExchangeError, and Power when it is killed.
        """
        layout = ready.layout(self.store.db) if ready.may_take(self.store) else b""
        part = fetching.offered(self.line, layout) if layout else None
        if part is None:
            return
        profile, key = Profile(self.folder), SecretBytes(self.card.key)
        try:
            meanwhile()
            ready.unpack(profile, key, fetching.pieces(self.line, part, lambda: None))
        except fetching.Dropped:
            ready.clear(profile)
            return
        if fate == "killed":
            raise Power
        ready.put_in_place(profile, key, self.store)
        if fate == "placed and killed":
            raise Power
        self.store.close()
        self.start()

    def unsent(self) -> int:
        """How many ops wait."""
        return outbox.count(self.store.db)

    @property
    def _copy(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-copy")

    def _line(self) -> Line:
        card = self.card
        identity = Identity(card.org, card.enrolment, card.device.hex(), card.sign)
        return Line(self.wire, identity, self.clock)
