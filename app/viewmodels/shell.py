"""What stands in the window: workplace, lock page, wiped page or another; and the session behind it.

Two backgrounds: `desk` does the store's short work in order; `slow` does what may take long (keyring, network,
opening and closing), so that a keyring that does not answer never holds up a list.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app import settings
from app.changes import CLOSING, WIPE, WIPED, Changes
from app.errors import NotEnrolled, Stopped, Wiped
from app.paths import Profile
from app.services.hearing import look, open_heard, shut_and_heard
from app.services.session import ACTIVE, Session
from app.services.wiped import finish_wipe, refuse_wiped
from app.viewmodels import broken_off, device_words, journeys, notices
from app.viewmodels.base import Background, Later, Watched, at_once, ignore
from app.viewmodels.desk import Desk
from app.viewmodels.locking import Locking
from app.viewmodels.notes import Unfinished
from app.viewmodels.notices import Notice, Screen
from app.viewmodels.ruled import Ruled, ruled
from app.viewmodels.sync_state import Standing, answer, counted, standing
from sync.client.status import Phase, SyncStatus
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.services.early import Early
    from app.services.syncing import Keeping


class Shell(Watched):
    """The life of the window, from start to close. Watchers hear of a new screen or notice."""

    def __init__(
        self,
        profile: Profile,
        desk: Background,
        slow: Background,
        after_paint: Later = at_once,
        early: Early | None = None,
    ) -> None:
        super().__init__()
        self._early = early  # an opening that is under way already
        self.profile = profile
        self.settings = settings.Settings()
        self.screen = Screen.STARTING
        self.notice = Notice("")
        self.busy = False
        self.problem: KnownError | None = None  # of the page that is shown
        self.desk: Desk | None = None
        self.on_sync = Watched()
        self.sync = SyncStatus()
        self.ruled = Ruled()
        self._asked = False  # a person asked for an exchange, and has no answer yet
        self._desk_background = desk
        self._slow = slow
        self._after_paint = after_paint
        self._session: Session | None = None
        self._keeping: Keeping | None = None
        self._kept: Session | None = None  # the session that is kept in step, or is about to be
        self.locking = Locking(self, slow)
        self._wiped = self._store_fails = False  # the latter: until it opens, no list is begun
        self._unfinished: Unfinished = {}
        self._leaving: Desk | None = None  # the page has gone, its drafts wait for the store to close

    # -- start

    def start(self) -> None:
        """Open the profile; what is found decides the screen."""
        self.busy = True
        self._slow.run(self._open, self._opened, self._not_opened)

    def _open(self) -> tuple[settings.Settings, Session]:
        early, self._early = self._early, None
        if early is not None:
            return early.take()
        session = open_heard(self.profile, say_offline=False, with_store=self._store_fails)
        return settings.load(self.profile), session

    def _opened(self, found: tuple[settings.Settings, Session]) -> None:
        self.busy = False
        self.settings, session = found
        self._store_fails = False
        self._session = session
        session.bus.subscribe(self._heard_elsewhere)
        self.locking.opened(session)
        self.look()
        if session.stage != ACTIVE:
            self._keep(session)

    def _first_list_read(self, desk: Desk) -> None:
        """The rows are there, or why not is said: what nobody waits for comes after they are painted."""

        def go_on() -> None:
            if self.desk is desk:
                desk.on_counts.read()
                broken_off.look(desk)
                self._rule(ruled(desk.session))
            if self._session is desk.session:
                self._keep(desk.session)

        self._after_paint(go_on)

    def _store_shut(self, desk: Desk, problem: KnownError) -> None:
        fails = self.desk is desk and desk.session.stage == ACTIVE and not isinstance(problem, Stopped)
        self._damaged(desk, problem) if fails else self._first_list_read(desk)

    def _damaged(self, desk: Desk, problem: KnownError) -> None:
        """No list is believed then: a connection that met a bad page answers nothing after it."""
        if self.desk is not desk:
            return
        session, self._session, self._store_fails, self.busy = desk.session, None, True, True
        self.put_desk_away(drafts=False)  # what was typed is saved as the store closes
        self.show(Screen.TROUBLE, notices.trouble(problem))

        def shut() -> None:
            self._end(None)
            shut_and_heard(session, problem)

        self._slow.run(shut, ignore, self._not_opened)

    def _keep(self, session: Session) -> None:
        """Exchange with the server from now on."""
        if self._kept is not session:
            self._kept = session
            self._slow.run(lambda: self._keep_in_step(session), ignore)

    def _keep_in_step(self, session: Session) -> None:
        """In the slow thread, as its end is: so the one who closes finds whatever was begun."""
        from app.services.syncing import Keeping  # the network comes after the first list

        self._keeping = Keeping(
            session, lambda status: self._desk_background.post(lambda: self._stands(status))
        )
        self._keeping.start()

    def _end(self, session: Session | None) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.stop()
        if session is not None:
            session.close()

    def _not_opened(self, problem: KnownError) -> None:
        self.busy = False
        self._forget_desk()
        if isinstance(problem, NotEnrolled):
            self.show(Screen.ENROL, Notice(_("Join your organisation")))
        elif isinstance(problem, Wiped):
            self._show_wiped(problem)
            self._hand_in()
        else:
            self.show(Screen.TROUBLE, notices.trouble(problem))

    # -- the screens

    def show(self, screen: Screen, notice: Notice) -> None:
        """Fill the window with this."""
        self.screen, self.notice, self.problem = screen, notice.made_harmless(), None
        self.tell()

    def look(self) -> None:
        """Show what the session's stage asks for."""
        session = self._session
        if session is None or self._wiped:
            return
        if session.stage == ACTIVE:
            if self.desk is None and not self.locking.busy:
                desk = self.desk = Desk(
                    session, self._desk_background, lambda: self.settings["currency"], self._unfinished
                )
                desk.errands.damaged = partial(self._damaged, desk)
                desk.on_counts.watch(lambda: self._counted(desk))
                desk.sync = self.sync if self.sync.last_ok else None
                desk.start(self.settings.section)  # what comes behind it in the lane comes after its rows
                first, shut = lambda _none: self._first_list_read(desk), partial(self._store_shut, desk)
                self._desk_background.read(lambda: look(session), first, shut)
                self.show(Screen.WORK, Notice(""))
            return
        self.put_desk_away()
        if not self.locking.busy:
            self.show(Screen.LOCK, self.locking.notice(session))

    def _show_wiped(self, wiped: KnownError, *, drafts: bool = True) -> None:
        self._wiped = True
        self.put_desk_away(drafts=drafts)
        self.show(Screen.WIPED, notices.wiped(wiped))

    def put_desk_away(self, *, drafts: bool = True) -> None:
        """Hold nothing of the store any more. Without `drafts`, they stay until the store closes and takes them."""
        desk = self.desk
        if desk is not None:
            self._leaving = None if drafts else desk
            self.desk = None
            desk.close(drafts=drafts)

    @property
    def session(self) -> Session | None:
        """The profile, once it is open."""
        return self._session

    def post(self, call: Callable[[], None]) -> None:
        """Have `call` called in the screen's thread; from any thread."""
        self._desk_background.post(call)

    # -- what a person asks for

    def enrol(self, code: str, name: str) -> None:
        """Join with the code from IT, then open."""
        from app.services import enrolment  # once in the life of a device

        self.begin()

        def done(_card: object) -> None:
            self.busy = False
            self.show(Screen.STARTING, Notice(""))
            self.start()

        self._slow.run(lambda: enrolment.enrol(self.profile, code, name), done, self.refused)

    def join_again(self) -> None:
        """On a wiped device: join anew with a code from IT."""
        if self._wiped and self.notice.again:
            self._wiped, self._unfinished = False, {}
            self.show(Screen.ENROL, notices.joining_again(self.notice))

    def try_now(self) -> None:
        """Exchange now: while IT has locked this device, that is how an unlock arrives."""
        if self.screen is Screen.TROUBLE:
            self.show(Screen.STARTING, Notice(""))
            self.start()
            return
        self._asked = self.desk is not None
        if self._keeping is not None:
            self._keeping.wanted()
        elif self._session is not None:
            self._keep(self._session)  # it begins with an exchange

    def travel(self) -> None:
        """Begin a journey, or end it (app/services/travel.py)."""
        if self._session is not None and self.desk is not None:
            journeys.turn(self._session, self.desk, self._slow, self.try_now)

    def choose_setting(self, name: str, value: str, done: Callable[[], None]) -> None:
        """Keep a setting."""
        changed = self.settings.changed(name, value)
        self.settings = changed
        self._slow.run(lambda: settings.save(self.profile, changed), lambda _result: done(), self.refused)

    def keep_left(self, changed: settings.Settings) -> None:
        """Keep how a window was left; where there is no profile to work in, nothing is written."""
        if self._session is None or self._wiped or changed.to_bytes() == self.settings.to_bytes():
            return
        self.settings = changed
        self._slow.run(lambda: settings.save(self.profile, changed), ignore, ignore)

    def tick(self) -> None:
        """Once a minute: policy and clock speak, a wipe is handed in, and what did not open is tried again."""
        if self._wiped:
            self._hand_in()
        elif self.screen is Screen.TROUBLE and self.notice.retry and not self.busy:
            self.busy = True
            self._slow.run(self._open, self._opened, self._not_opened)
        elif self._session is not None and self._session.stage == ACTIVE:
            session = self._session
            if self.desk is not None:
                self.desk.tick()
            self._keep(session)  # orders come whatever holds up the first list
            self._slow.run(lambda: notices.judged(session), self._rule, ignore)

    def _rule(self, ruled: Ruled) -> None:
        self.ruled = ruled
        self.on_sync.tell()

    def close(self, done: Callable[[], None]) -> None:
        """Save drafts, end exchanging, close the store; then call `done`."""
        session, self._session = self._session, None

        def gone(_result: None) -> None:
            self.put_desk_away()
            done()

        self._slow.run(lambda: self._end(session), gone, lambda _problem: done())

    def standing(self) -> Standing:
        """The sync badge in words."""
        ruled, journey = self.ruled, journeys.told(self._session)
        return standing(self.sync, ruled.wipe_at, ruled.coming, journey)

    def organisation(self) -> str:
        """The organisation this device belongs to, "" before."""
        return self._session.card.org_name if self._session is not None else ""

    def foot(self) -> tuple[str, str]:
        """The line at the foot of the window: what is here, and what rules it; empty until that is counted."""
        if self._session is None or self.desk is None or self.desk.counts is None:
            return "", ""
        return device_words.foot(self._session, self.desk.counts, warning=self.ruled.silent)

    def about(self) -> list[tuple[str, str]]:
        """Who and where this device is, for the settings page."""
        if self._session is None:
            return []
        return [*device_words.about(self._session), *self.ruled.about(), *journeys.about(self._session)]

    # -- news

    def _heard_elsewhere(self, changes: Changes) -> None:
        """In the publisher's thread: drafts are saved before the store closes, the rest waits for our own thread."""
        if changes.origin != CLOSING:
            self._desk_background.post(lambda: self._heard(changes))
        elif (desk := self.desk or self._leaving) is not None:
            desk.rescue()

    def _heard(self, changes: Changes) -> None:
        if self._session is None:
            return
        if changes.origin == WIPE:
            org = self._session.card.org_name
            # The page goes at once; what was typed is saved only when the store closes, in the thread of the order.
            wiped = KnownError(_("This device is being wiped by {org}.").format(org=org))
            self._show_wiped(wiped, drafts=False)
        elif changes.origin == WIPED:
            self._over()
        elif not changes.records and changes.origin == "lock":
            self.look()
        elif self.desk is not None:
            self.desk.heard(changes)

    def _over(self) -> None:
        """After a wipe: let the session go and say whose order it was, and why."""
        session, self._session = self._session, None
        self._forget_desk()

        def let_go() -> None:
            self._end(session)
            refuse_wiped(self.profile)

        def gone(wiped: KnownError) -> None:
            self._show_wiped(wiped)
            self._hand_in()

        self._slow.run(let_go, ignore, gone)

    def _forget_desk(self) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.close()

    def _hand_in(self) -> None:
        def hand_in() -> Notice | None:
            return notices.handed_in(self.profile) if finish_wipe(self.profile) else None

        def handed(notice: Notice | None) -> None:
            if notice and self._wiped and self.screen is Screen.WIPED and not self.notice.again:
                self.show(Screen.WIPED, notice)

        self._slow.run(hand_in, handed, ignore)

    def _stands(self, status: SyncStatus) -> None:
        self.sync = status
        self._rule(ruled(self._session) if self._session is not None else self.ruled)
        if self.desk is not None:
            self.desk.stands(status)
        if self._asked and status.phase is not Phase.SENDING:
            self._asked = False
            if self.desk is not None:
                self.desk.say(answer(status))
        if self.screen is Screen.LOCK and self._session is not None and not self.busy:
            self.tell()

    def _counted(self, desk: Desk) -> None:
        unsent = desk.counts.unsent if desk.counts is not None else None
        known, self.sync = self.sync, counted(self.sync, unsent)
        if self.sync is not known:
            self.on_sync.tell()

    def begin(self) -> None:
        """Something is under way that a person asked for."""
        self.busy, self.problem = True, None
        self.tell()

    def refused(self, problem: KnownError) -> None:
        """It did not go."""
        self.busy, self.problem = False, problem
        self.tell()
