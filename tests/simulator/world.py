"""One run: a server and its laptops, copied from a ground that was laid once; steps are played, then all settles."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from app.errors import AppError
from app.store import choices, conflicts, records
from app.store.choices import Settled
from sync.client import holding_back
from sync.client.errors import ExchangeError, ServerRefused
from sync.protocol import codec, merge, messages
from sync.protocol.errors import KnownError, Outcome, Problem, Rejection
from sync.protocol.ids import OpId
from sync.protocol.kinds import KINDS
from sync.protocol.messages import OpResult
from sync.protocol.ops import Act, Op, print_of
from sync.server import access, auth, feed
from sync.server import ready as server_ready
from sync.server.config import Folders
from sync.server.db.base import Store as ServerStore
from sync.server.db.moving import MovableStore
from sync.server.db.news import News
from sync.server.db.sqlite import SqliteStore
from sync.server.office import StoreOffice
from sync.server.service import Service
from tests.simulator import desk, lost, parts, said, steps, writing
from tests.simulator.asked import Asked
from tests.simulator.doubles import Doubles
from tests.simulator.files import Files
from tests.simulator.ground import PERSONS, Ground
from tests.simulator.laptop import Laptop, Power
from tests.simulator.older import Mixed
from tests.simulator.said import CELLS, Value, Written, values_of
from tests.simulator.steps import PEOPLE, Step

ROUNDS_MAX: Final = 40  # by then whatever was typed has gone to everybody, or something stalls
ROWS_AT_ONCE: Final = 5  # a page of this size is cut often

Keeping = Callable[[MovableStore], ServerStore]  # what a run's server keeps its records in


def as_it_is(store: MovableStore) -> ServerStore:
    """The file itself."""
    return store


@dataclass
class World(Asked):
    """One run under way."""

    ground: Ground
    folder: Path
    keeping: Keeping = as_it_is
    mixed: Mixed = field(default_factory=Mixed)
    elapsed: int = 0
    faults: list[str] = field(default_factory=list)
    written: dict[tuple[bytes, str], list[Written]] = field(default_factory=dict)
    gone: set[Value] = field(default_factory=set)  # values that went with the disk they waited on
    at_risk: set[Value] = field(default_factory=set)  # values that the server alone still has
    refused_once: set[Value] = field(default_factory=set)  # before the last restore
    missed: set[Value] = field(default_factory=set)  # refused: a restored server had no such record yet
    deletes_gone: set[bytes] = field(default_factory=set)  # records whose delete went with a disk
    brought_back: set[bytes] = field(default_factory=set)  # records of which an undelete was merged
    backups: list[tuple[Path, set[bytes]]] = field(default_factory=list)  # and what was done by then
    done: set[bytes] = field(default_factory=set)  # prints of ops that this history has merged
    merging: list[bytes] = field(default_factory=list)  # those of the transaction under way
    restores: int = 0
    forgets: int = 0  # how often the server forgot all that it would some day, answers too
    forgotten: dict[tuple[bytes, str], set[str]] = field(
        default_factory=dict
    )  # what stood in deleted records
    answered: dict[bytes, Outcome] = field(default_factory=dict)  # by print, in this history
    acts: dict[bytes, list[tuple[Act, Outcome]]] = field(default_factory=dict)  # as the server answered
    refused: set[Value] = field(default_factory=set)  # not taken by the server, and told to their author
    given_up: list[tuple[bytes, str, Any]] = field(default_factory=list)  # chosen against, by who knew both
    chosen: dict[int, Settled] = field(default_factory=dict)  # what each laptop chose last
    settles: list[Op] = field(default_factory=list)  # choices that the server took
    doubles: Doubles = field(default_factory=Doubles)
    files: Files = field(default_factory=Files)
    laptops: dict[int, Laptop] = field(default_factory=dict)
    asking: str = ""  # whose laptop exchanges
    tried: dict[bytes, bool] = field(default_factory=dict)  # by print: whether its author ever saw all of it
    counter: int = 100  # three digits: no value begins like another
    last: str = ""  # why an exchange failed last
    told: set[int] = field(default_factory=set)  # laptops that a held line would have told of something
    quiet: set[int] = field(default_factory=set)  # laptops that had everything after their last exchange

    def __post_init__(self) -> None:
        (self.folder / "server").mkdir()
        for name in self.ground.store.parent.glob(f"{self.ground.store.name}*"):
            shutil.copy(name, self.folder / "server")
        self.folders = Folders(self.folder / "server", self.folder / "secrets")
        self.folders.secrets.mkdir()
        self.folders.store_key.write_text(self.ground.store_key.hex())
        self.serve()

    @property
    def in_a_file(self) -> bool:
        """Whether the server keeps its records in a file, of which there are backups."""
        return self.keeping is as_it_is

    def serve(self) -> None:
        """Start a server on the store as it lies there."""
        self.server = self.keeping(SqliteStore.open(self.folders.store, bytearray(self.ground.store_key)))
        self.service = Service(self.server, self.ground.lease_key)
        self.service.now = self.now
        self.service.step = self._step
        self.server.heard = self._tell
        self.office = StoreOffice(self.server, self.ground.lease_key, "https://127.0.0.1:8443", self.now)
        self.service.ready = parts.of(self.server, self.folder, self.now)
        self._dies_at = ""

    # -- the server

    def now(self) -> int:
        """The server's time, UTC milliseconds."""
        return self.ground.began + self.elapsed

    def session(self, body: bytes) -> bytes:
        """A sign-in."""
        return self.service.session(body)

    def exchange(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """An exchange; what became of each op is noted."""
        self.merging = []
        sent = {
            op.n: op for tag, raw in codec.decode(body) if tag == messages.OP for op in (codec.read(raw, Op),)
        }
        with self.server.read() as tx:
            person = tx.people.by_email(self.asking)
        assert person is not None
        for print_, op in ((print_of(op), op) for op in sent.values()):
            self.tried[print_] = self.tried.get(print_, False) or access.sets(person.rights, op.kind, op.set)
        answer = self.service.exchange(headers, target, body)
        for tag, raw in codec.decode(answer):
            if tag == messages.RESULT:
                result = codec.read(raw, OpResult)
                # A disk that was put back asks again about what was decided: what was said first counts.
                first = self.answered.setdefault(print_of(sent[result.n]), result.outcome)
                self.acts.setdefault(sent[result.n].id, []).append((sent[result.n].act, first))
                if sent[result.n].settles and result.outcome is not Outcome.REJECTED:
                    self.settles.append(sent[result.n])
                if result.code is Rejection.GONE:
                    self.missed |= values_of(sent[result.n])
                elif result.outcome is Outcome.REJECTED:
                    self.refused |= values_of(sent[result.n])
                elif not self.tried[print_of(sent[result.n])]:
                    self.faults.append(f"{self.asking} wrote what is hidden: {sorted(sent[result.n].set)}")
        return answer

    def still(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Nothing is said, and maybe nothing answered."""
        self.merging = []
        return self.service.still(headers, target, body)

    def dies_at(self, step: str) -> None:
        """End at this step of the next request; start again when it has."""
        self._dies_at = step
        if not step:
            self.service.sessions = auth.Sessions()

    def merged(self, op: Op, own: int, device: bytes) -> None:
        """The server merges an op, stamped so by its device, which counts once its transaction is committed."""
        if op.act is Act.UNDELETE:
            self.brought_back.add(op.id)
        stamp = own.to_bytes(8, "big")  # that of the server may be one for two acts
        self.merging.append(stamp + print_of(op)[8:] + device)  # two devices may do the same at the same time

    def has(self, op: Op) -> bool:
        """Whether the server merged it in this history, or a laptop would send it."""
        print_, laptops = print_of(op), self.laptops.values()
        done = any(each.startswith(print_) for each in self.done)
        return done or any(print_ in said.prints_of(each) for each in laptops)

    def _step(self, name: str) -> None:
        if name == "committed":
            if not self.done.isdisjoint(self.merging):
                self.faults.append("an op was done twice")
            self.done.update(self.merging)
        if name == self._dies_at:
            raise Power

    def _tell(self, news: News) -> None:
        with self.server.read() as tx:
            persons = {each.email: each for each in tx.people.persons()}
        for who, laptop in self.laptops.items():
            person = persons[laptop.card.person]
            circles = access.circles(person.rights)
            if person.id in news.moved or (circles & news.circles and news.by != laptop.card.enrolment):
                self.told.add(who)

    # -- the laptops

    def laptop(self, who: int) -> Laptop:
        """The laptop of that number, turned on when it is first used."""
        if who not in self.laptops:
            folder = self.folder / f"laptop-{who}"
            shutil.copytree(self.ground.folder / f"laptop-{who}", folder)
            far = self.mixed.way(who, self, self.faults.append)
            self.laptops[who] = Laptop(
                folder, self.ground.cards[who], far, self.now, holds_back=not self.mixed.is_older(who)
            )
        return self.laptops[who]

    def play(self, step: Step) -> None:
        """One step. What must not happen, whatever is staged, is added to `faults`."""
        self.elapsed += 7
        if not self.mixed.knows(step):
            return
        if isinstance(step, steps.Write):
            self._write(self.laptop(step.who), step)
        elif isinstance(step, steps.Settle):
            self._choose(step.who, self.laptop(step.who), step)
        elif isinstance(step, steps.Same | steps.Pair):
            self.doubles.play(self, step.who, self.laptop(step.who), step)
        elif isinstance(step, steps.Filed):
            self.files.play(self, self.laptop(step.who), step)
        elif isinstance(step, steps.Exchange):
            self._exchange(self.laptop(step.who), step.fate)
        elif isinstance(step, steps.Expect):
            assert self.service.ready is not None
            self.service.ready.make(self.ground.persons[step.person])
        elif isinstance(step, steps.Fetch):
            parts.fetch(self, step)
        elif isinstance(step, steps.Wait):
            self.elapsed += step.ms
        elif isinstance(step, steps.Skew):
            self.laptop(step.who).skew = step.ms
        elif isinstance(step, desk.Ordered):
            desk.order(self.office, PERSONS, step)
        elif isinstance(step, steps.Forget):
            lost.forget(self)
        elif isinstance(step, steps.Copy):
            self.laptop(step.who).copy()
        elif isinstance(step, steps.PutBack):
            self._put_back(self.laptop(step.who))
        elif isinstance(step, steps.Backup):
            lost.back_up(self)
        elif isinstance(step, steps.Restore):
            lost.restore(self, step.back)
        else:
            self.service.sessions = auth.Sessions()

    def _exchange(self, laptop: Laptop, fate: str) -> bool:
        """Whether there is, or may be, more to do."""
        self.asking = laptop.card.person
        who = next(at for at, each in self.laptops.items() if each is laptop)
        # Who had everything, and was told of nothing since, is missing nothing.
        at_rest = who in self.quiet and who not in self.told and not laptop.unsent()
        self.quiet.discard(who)
        self.told.discard(who)  # what comes from here on is told again
        # What it is told now was answered before what it heard of since.
        of_before = laptop.line.ahead is not None
        try:
            page = laptop.exchange(fate)
        except Power:
            laptop.crash()
        except ServerRefused as refusal:
            if refusal.problem in (Problem.GAP, Problem.BAD_REQUEST, Problem.TOO_BIG, Problem.UPGRADE):
                self.faults.append(f"{laptop.card.person}: {refusal.problem.value}")
            self.last = refusal.problem.value
        except ExchangeError as problem:
            self.last = problem.title
        else:
            if page.held_back:
                self.faults.append(f"laptop {who}: {page.held_back} records go, and the log cannot say why")
            busy = page.more or page.sent > 0 or bool(page.applied.records)
            # An edit that came before its record waits again once that is here.
            waits = self.restores > 0 and laptop.unsent() > 0
            # A restored server may have to take away what it never gave, page by page.
            if at_rest and (busy if not self.restores else page.sent or page.applied.received):
                self.faults.append(f"laptop {who}: there was something, and it was not told")
            if not (page.more or laptop.unsent() or of_before):
                self.quiet.add(who)
            return busy or waits
        return True

    def _put_back(self, laptop: Laptop) -> None:
        before, kept, deletes = said.waiting(laptop), said.kept_by(laptop), said.deletes_by(laptop)
        laptop.put_back()
        self.quiet -= {at for at, each in self.laptops.items() if each is laptop}
        self.gone |= before - said.waiting(laptop)
        self.at_risk |= kept - said.kept_by(laptop)
        self.deletes_gone |= deletes - said.deletes_by(laptop)

    def _write(self, laptop: Laptop, step: steps.Write) -> None:
        self.counter += 1
        store = laptop.store
        with contextlib.suppress(AppError, KnownError):
            if step.verb == "add":
                kind, cell = CELLS[step.cell % len(CELLS)]
                values = {"name": f"n{self.counter}"}
                records.add(store, KINDS[kind], {**values, cell: said.fresh(cell, self.counter)})
                self.note(laptop)
                return
            here = sorted(
                (name, id_) for name in ("customer", "deal", "contact") for id_ in said.ids(store, name)
            )
            if step.verb == "undelete":
                here = sorted(
                    (name, id_) for name in ("customer", "deal", "contact") for id_ in said.gone(store, name)
                )
            if not here:
                return
            name, id_ = here[step.pick % len(here)]
            if step.verb == "delete":
                records.delete(store, id_)
                self.doubles.deleted.add(id_)
            elif step.verb == "undelete":
                records.undelete(store, id_)
            elif step.verb == "give":
                records.edit(store, id_, {"owner": PERSONS[step.cell % PEOPLE]})
            elif step.verb in ("place", "join"):
                writing.settle_in(store, step, here)
            else:
                cells = [cell for kind, cell in CELLS if kind == name]
                cell = cells[step.cell % len(cells)]
                records.edit(store, id_, {cell: said.fresh(cell, self.counter)})
            self.note(laptop)

    def _choose(self, who: int, laptop: Laptop, step: steps.Settle) -> None:
        store = laptop.store
        with contextlib.suppress(AppError, KnownError):
            if step.choice == "back":
                if who in self.chosen:
                    choices.reopen(store, self.chosen.pop(who))
                    self.note(laptop)
                return
            waiting = conflicts.open_conflicts(store)
            if not waiting:
                return
            each = waiting[step.pick % len(waiting)]
            choice = self.doubles.choice(store, each.conflict, keep=step.choice == "keep")
            self.chosen[who] = choices.settle(store, each.conflict.id, choice)
            over = each.conflict.kept if choice == choices.KEPT else each.present
            self.given_up.append((each.conflict.record, each.conflict.cell, over))
            if each.remains:  # taken, it is written there, where it is looked for from now on
                self.given_up.append((each.conflict.record, each.conflict.cell, each.conflict.kept))
            self.note(laptop)

    def note(self, laptop: Laptop) -> None:
        """Keep in mind what the newest act wrote."""
        for op in said.newest_act(laptop):
            for cell, value in op.set.items():
                self.written.setdefault((op.id, cell), []).append(Written(value, op.was.get(cell)))

    def settle(self) -> None:
        """No fault any more: everybody exchanges until nothing is left."""
        for laptop in self.laptops.values():
            laptop.skew = 0
        rested = False
        for _round in range(ROUNDS_MAX):
            self.elapsed += 60_000
            busy = [self._exchange(laptop, "") for laptop in self.laptops.values()]
            if rested and not any(busy):
                return  # and everybody has said how far they had read
            rested = not any(busy)
        self.faults.append(f"it never came to rest: {self.last}")

    def close(self) -> None:
        """Turn everything off."""
        for laptop in self.laptops.values():
            laptop.store.close()
        self.server.close()


@contextlib.contextmanager
def world(ground: Ground, keeping: Keeping = as_it_is, mixed: Mixed | None = None) -> Iterator[World]:
    """A run on its own copy of the ground."""
    with (
        tempfile.TemporaryDirectory(dir=ground.folder) as name,
        mock.patch.object(feed, "PAGE_ROWS", ROWS_AT_ONCE),
        mock.patch.multiple(holding_back, MANY=0, PART=10**6),  # not one goes without a word
        mock.patch.object(server_ready, "LEAST_ROWS", 1),
        mock.patch.object(server_ready, "STALE", 0),
    ):
        made = World(ground, Path(name), keeping, mixed or Mixed())
        whole = merge.apply

        def apply(row: merge.Row | None, op: Op, op_id: OpId, **more: Any) -> merge.Merged:
            result = whole(row, op, op_id, **more)
            if result.outcome is not Outcome.REJECTED:
                made.merged(op, more.get("own") or op.hlc, op_id.device)
            return result

        try:
            with mock.patch.object(merge, "apply", apply):
                yield made
        finally:
            made.close()
