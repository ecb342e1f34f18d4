"""Exchanging with the server: one round from first request to nothing left, and the engine that repeats it.

A round also carries what is above the exchange: orders are obeyed between requests, obedience is reported at
once, a share comes back after an unlock, recovered work goes into the outbox.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable
from typing import BinaryIO, Final

from app.changes import HERE, LOCK, SYNC, Changes
from app.errors import AppError, Locked, Offline, StoreDamaged, Wiped
from app.services import letting_go, ready_road, sealed_work, way_on
from app.services.carrying import Carrying, identity_of
from app.services.lost_work import LostWork
from app.services.on_worker import on_worker
from app.services.rounds import Round, percent_of
from app.services.session import ACTIVE, Session
from app.services.unspoken import Unspoken
from app.services.wiped import told_after
from app.store.blobs import unsent_in
from app.store.conflicts import attention_count, open_count
from app.store.store import Store
from sync.client import handing
from sync.client.cycle import Page, exchange
from sync.client.engine import Engine
from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.client.holding_back import HoldingBack
from sync.client.https import Held, Https, Said, own_trust
from sync.client.line import Line
from sync.client.listener import SILENT_S, Listener
from sync.client.ports import Replica
from sync.client.status import Phase, SyncStatus
from sync.protocol import outbox_seal, sealing
from sync.protocol.documents import SealedOutbox
from sync.protocol.errors import KnownError, Problem
from sync.protocol.kinds import KINDS

_LOG = logging.getLogger("app.services.syncing")
PAGES_MAX: Final = 10_000  # more than any honest history: a server that never ends is left alone
_WITH_FILES: Final = frozenset(kind.name for kind in KINDS.values() if kind.contents)
REPORTS_MAX: Final = 8  # exchanges of one round that only report

Step = Callable[[int], None]


class Syncing:
    """Rounds of one session over one line to the server."""

    def __init__(self, session: Session, *, beside: bool = False) -> None:
        """With `beside`, large pages are laid in by another process: somebody works in this one."""
        self._session = session
        self._laying = session.laying() if beside else None
        self.fetched = 0  # records that the round under way has brought, while more come
        self.percent = 0  # of the way through the server's history by then, 0 while nobody knows
        card = session.card
        self._trust = own_trust(session.papers.held.root.tls_ca)
        self._transport = Https(card.server_url, self._trust)
        self._identity = identity_of(session)
        self._line = Line(self._transport, self._identity, session.now)
        self._back = HoldingBack()
        self._unspoken = Unspoken(session)
        self.let_go = False  # somebody asks once more: what the server says of each record by itself counts
        self._lost_work = LostWork(session.profile, session.card, self._hand_in)

    def round(self, step: Step = lambda n: None) -> Round:
        """Exchange until nothing is left to send or fetch.

        Raises Offline, Locked (after orders were brought), Wiped, and other KnownErrors.
        """
        done, first = Round(), None
        asked_in_vain, reported, looked, told = 0, 0, 0, False
        # Of a round that failed: it would be answered as of then, and there may be news since.
        self._line.ahead = None
        for _page in range(PAGES_MAX):
            was_active, ruled_by = self._session.stage == ACTIVE, self._session.ruling.policy.version
            try:
                page = self._exchange(step)
            except StoreDamaged as damage:
                raise self.hear(damage) from None
            except Offline:
                self._obey(offline=True)  # looked for in vain: the policy's own rule for silence may be due
                raise
            except KnownError:
                # What is due is due without the server, and an answer that the disk would not take had papers.
                self._obey()
                raise
            done = done.plus(page)
            if ready_road.is_worth_asking(page) and not asked_in_vain:
                done = dataclasses.replace(done, received=max(done.received, self._by_part(page)))
            self.fetched = done.received if page.more else 0
            first = min(page.begin, first if first is not None else page.begin)
            self.percent = percent_of(first, page) if page.more else 0
            if page.applied.records:
                self._session.tell(Changes(tuple(page.applied.records), SYNC, page.applied.left))
            asked_in_vain += self._session.state.ask_share and self._session.papers.share is None
            asked_in_vain += not self._session.take_share()
            self._obey()
            of_keys = self._session.change_keys()
            self._session.judge_anew(ruled_by)
            if (self._session.state.obeyed or of_keys) and reported < REPORTS_MAX:
                reported += 1
                continue  # reported at once, since IT waits for it; and new keys take a few exchanges
            if self._session.papers.order_missing():
                looked += 1
                if looked == 1:
                    continue  # the server is told how far this device is, and sends what lies behind it
                self._session.judge()
            self._session.nothing_missing()
            if self._session.stage != ACTIVE:
                if self._session.state.ask_share and not asked_in_vain:
                    continue
                raise self._session.locked_error()
            # Records come before the work that was done on them; but "more" may be packets alone, which wait for us.
            taken = 0 if page.more and page.applied.records else self._take_packets()
            done = dataclasses.replace(done, recovered=done.recovered + taken)
            more_to_send = page.sent > 0 and self._session.call(Store.unsent) > 0
            if was_active and not (page.more or taken or more_to_send):
                if not page.held_back:
                    break
                if not self._confirmed():
                    if told:
                        raise self._back.refusal()
                    told = True  # IT hears of it with the next exchange
        return self._ended(done)

    def _ended(self, done: Round) -> Round:
        """The round with what comes behind it: nothing is left to send or fetch."""
        self._unspoken.look(self._line)
        return dataclasses.replace(done, lost=self._lost_work.show_it())

    def _by_part(self, page: Page) -> int:
        """The rows that a ready part brings after the first page; 0 where there is none."""
        self._session.tell(Changes(tuple(page.applied.records), SYNC))
        if self._laying is not None:
            self._laying.rest()  # it has the store open
        return ready_road.take(self._session, self._line, page.at) if self._session.stage == ACTIVE else 0

    def asked_again(self) -> None:
        """A person asks: what the server says once more of what is held back counts."""
        self.let_go = self._back.count > 0

    def _confirmed(self) -> bool:
        """Whether somebody asked once more about what is held back, and the server says of each record that it goes."""
        asked, self.let_go = self.let_go, False
        # For the pages behind it too.
        self.let_go = asked and letting_go.confirmed(self._session, self._line, self._back)
        return self.let_go

    def hear(self, damage: AppError) -> StoreDamaged:
        """What can be done without the store: papers come, orders are obeyed and reported, and the sealed outbox goes
        in. The damage, with what became of it.

        Raises Offline, Wiped, and what the server refuses.
        """
        self._session.papers.store_shut = True
        for _again in range(REPORTS_MAX):
            self._talk(None, lambda n: None)
            self._obey()
            if not self._session.state.obeyed:
                break
        return self._handed_in(damage)

    def _handed_in(self, damage: AppError) -> StoreDamaged:
        alone = self._session.damage is None
        try:
            handed = self._hand_in_all()
        except FileNotFoundError:
            return way_on.nothing_sealed(damage, store_alone=alone)
        except (Unreachable, NotOurServer) as problem:
            raise Offline(problem.title, problem.hint) from problem
        except (OSError, KnownError) as problem:
            _LOG.warning("the sealed outbox was not handed in: %s", type(problem).__name__)
            return way_on.not_handed_in(damage)
        if not handed.length:  # a rotten first length makes no record of what IT can still read
            return way_on.nothing_sealed(damage, store_alone=alone)
        return way_on.handed_in(damage, store_alone=alone)

    def listener(self, engine: Engine) -> Listener:
        """Who listens on a line of its own, and tells the engine."""
        url, trust = self._session.card.server_url, self._trust

        def hold(target: tuple[str, dict[str, str]], tell: Callable[[Held, Said], None]) -> Held:
            return Held(url, trust, target, tell, silent_s=SILENT_S)

        return Listener(self._line, hold, engine)

    def close(self) -> None:
        """Close the line."""
        self.rest()
        self._transport.close()

    def rest(self) -> None:
        """Nothing is exchanged for a while."""
        if self._laying is not None:
            self._laying.rest()

    def _exchange(self, step: Step) -> Page:
        try:
            replica = on_worker(self._session, self._laying)
        except Locked as locked:
            if not locked.by_order or self._session.stage != ACTIVE:
                raise
            # An old copy of this profile was put back after a lock. The server says whether it may open.
            self._session.share_is_gone()
            return self._talk(None, step)
        except StoreDamaged:
            raise
        except AppError:
            # A store that does not open keeps no order from this device.
            self._session.papers.store_shut = True
            self._talk(None, step)
            raise
        self._session.papers.store_shut = False
        return self._talk(replica, step)

    def _talk(self, replica: Replica | None, step: Step) -> Page:
        try:
            page = self._exchanged(replica, step)
        except (Unreachable, NotOurServer) as problem:
            raise Offline(problem.title, problem.hint) from problem
        except ServerRefused as refusal:
            if refusal.problem is not Problem.UNKNOWN_DEVICE:
                raise
            # Who says so has proven to be the organisation's own server.
            locked = self._session.not_enrolled()
            self._leave_sealed()
            raise locked from None
        self._session.met()
        return page

    def _leave_sealed(self) -> None:
        """Hand in what was not sent, if the server takes it from a device that it has let go."""
        try:
            self._hand_in_all()
        except (KnownError, OSError) as problem:
            _LOG.info("the sealed outbox stays here: %s", type(problem).__name__)

    def _hand_in_all(self) -> SealedOutbox:
        with sealed_work.open_all(self._session.profile) as sealed:
            return self._hand_in(sealed)

    def _hand_in(self, sealed: BinaryIO) -> SealedOutbox:
        root = self._session.papers.held.root
        return handing.hand_in(self._session.card.server_url, root, self._identity, sealed)

    def _exchanged(self, replica: Replica | None, step: Step) -> Page:
        try:
            return exchange(replica, self._session.papers, self._line, step, self._back)
        except ServerRefused as refusal:
            if refusal.problem not in (Problem.ROLLBACK, Problem.EPOCH):
                raise
            # This device or the server is a copy of an earlier day. Asked again, both start from what they know.
            return exchange(replica, self._session.papers, self._line, step, self._back)

    def _obey(self, *, offline: bool = False) -> None:
        try:
            self._session.obey()
            if offline:
                self._session.wipe_for_silence()
        except Wiped as wiped:
            # The session is over; what is left needs only the device key.
            raise told_after(wiped, self._session.profile, self._session.wipe_step) from None

    def _take_packets(self) -> int:
        packets, self._session.papers.packets = self._session.papers.packets, {}
        taken = 0
        for packet, sealed in packets.items():
            part = outbox_seal.read_part(sealing.unseal(self._session.keys.seal, sealing.RECOVERED, sealed))
            store = self._session.replica()
            if store is not None:
                taken += self._session.run_replica(
                    store.take_in, packet, part.ops, (part.device, part.incarnation)
                )
                self._lost_work.came_back(part.device, part.outboxes)
        return taken


class Keeping:
    """Keeps a session in step with the server in the background, and says how it stands."""

    def __init__(self, session: Session, tell: Callable[[SyncStatus], None]) -> None:
        self._session = session
        self._syncing = Syncing(session, beside=True)
        self._tell = tell
        self._first = True  # until a round came to its end, if the store had read nothing before
        self._carrying = Carrying(session)
        self._carried = False
        self._tidied = False  # what records named has been looked at since they changed
        self._engine = Engine(self._round, self._stands, self._carry)
        self._listener = self._syncing.listener(self._engine)
        self._unsubscribe = session.bus.subscribe(self._heard)

    def start(self) -> None:
        """Begin exchanging."""
        self._engine.start()
        self._listener.start()

    def stop(self) -> None:
        """End after the exchange under way."""
        self._unsubscribe()
        self._listener.stop()
        self._engine.stop()
        self._carrying.close()
        self._syncing.close()

    def wanted(self) -> None:
        """A person asked for an exchange now; once more, where something is held back that they were told of."""
        self._syncing.asked_again()
        self._engine.wanted()

    def _round(self) -> None:
        answered = False
        with contextlib.suppress(Locked):
            self._session.judge()  # silence counts while a window stays open, too
        try:
            self._syncing.round()
            answered = True
            self._session.ruling.judge()  # contact has ended what silence there was
        except Locked:
            _LOG.info("locked: only orders are fetched")
        except Wiped:
            self._listener.stop(0)
            self._engine.stop(0)
        finally:
            self._syncing.rest()
            self._listener.look(answered=answered)

    def _carry(self) -> bool:
        """Between two exchanges: files that nobody names any more leave the disk, whatever becomes of the others, and
        attached ones go up.
        """
        if not self._tidied and self._session.stage == ACTIVE:
            from app.services import attachments  # nothing of it is needed before an exchange is through

            self._tidied = True
            attachments.keep_within(self._session)
        if self._carrying.step():
            self._carried = True
            return True
        if self._carried:
            self._carried = False
            self._tidied = False  # what has gone up may leave, where there is no room
            self._stands(Phase.IDLE, None)
            return True
        return False

    def _heard(self, changes: Changes) -> None:
        if changes.left or not changes.records or any(kind in _WITH_FILES for kind, _id in changes.records):
            self._tidied = False
        if changes.origin == HERE or (changes.origin == LOCK and self._session.stage == ACTIVE):
            self._engine.edited()  # what a lock has kept from being sent goes out after the unlock
        elif changes.origin == SYNC and self._syncing.fetched:
            self._stands(Phase.SENDING, None)

    def _stands(self, phase: Phase, problem: KnownError | None) -> None:
        waiting, conflicts, attention, begun = self._session.state.unsent, 0, 0, True
        if self._session.stage == ACTIVE:
            try:
                waiting, conflicts, attention, begun = self._session.call(_counts)
            except KnownError:
                _LOG.info("counts are not to be had while the store closes")
        fetched, percent = (
            (self._syncing.fetched, self._syncing.percent) if phase is Phase.SENDING else (0, 0)
        )
        self._first = self._first and (not begun or fetched > 0)
        self._tell(
            SyncStatus(
                phase=phase,
                waiting=waiting,
                conflicts=conflicts + attention,
                attention=attention,
                last_ok=self._session.state.last_contact,
                title=problem.title if problem else "",
                hint=problem.hint if problem else "",
                first=self._first,
                fetched=fetched,
                percent=percent,
                files=len(unsent_in(self._session.profile.unsent_blobs)),
                alarm=_alarm(self._session),
            )
        )


def _alarm(session: Session) -> str:
    alarm = session.ruling.alarm()
    return alarm.rule if alarm is not None else ""


def _counts(store: Store) -> tuple[int, int, int, bool]:
    """What waits, what is open, what was not accepted, and whether anything was ever read from the server."""
    return store.unsent(), open_count(store), attention_count(store), bool(store.here().cursor.epoch)
