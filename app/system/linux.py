"""Linux: logind on the system bus, the screen savers on the session bus.

    logind   PrepareForSleep        sleep; it waits for us, by a delay inhibitor, until the keys are out
             Session.Lock           `loginctl lock-session`, and what desktops do at a key or a closed lid
             Session.Active         false when another user has the screen
             Session.LockedHint     true once the desktop has locked the screen
    savers   ActiveChanged(true)    freedesktop.org's (KDE and others) and the desktops' own

Signals of logind are believed of logind alone: the system bus is everybody's, and other people on this machine shall
not lock our window. The session bus is this person's own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, MatchRule, Message

from app.system.events import Event, Heard, OnEvent, Source
from app.system.line import SESSION, SYSTEM, Line, is_signal

LOGIND: Final = "org.freedesktop.login1"
MANAGER: Final = "org.freedesktop.login1.Manager"
OF_SESSION: Final = "org.freedesktop.login1.Session"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
BUS: Final = "org.freedesktop.DBus"

# Name and interface of each screen saver, and where it answers; all of them speak alike.
SAVERS: Final = {
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
    "org.cinnamon.ScreenSaver": "/org/cinnamon/ScreenSaver",
    "org.mate.ScreenSaver": "/org/mate/ScreenSaver",
    "org.xfce.ScreenSaver": "/org/xfce/ScreenSaver",
}
_WHO: Final = "Fieldkeep"
_WHY: Final = "closes the customer store before sleep"  # logind shows it to who asks what holds up sleep


class LinuxListener:
    """Listens on both buses."""

    def __init__(self) -> None:
        self._on_event: OnEvent = lambda _event: None
        self._logind = Logind(self._tell)
        self._savers = Savers(self._tell)

    def begin(self, on_event: OnEvent) -> None:
        """Listen from now on."""
        self._on_event = on_event
        self._logind.line.begin()
        self._savers.line.begin()

    def settled(self, seconds: float) -> bool:
        """Wait until both buses have answered, or have not."""
        return self._logind.line.settled(seconds) and self._savers.line.settled(seconds)

    def standing(self) -> list[Heard]:
        """What is listened to."""
        return [*self._logind.standing(), *self._savers.standing()]

    def end(self) -> None:
        """Listen no more; sleep waits for us no longer."""
        self._logind.line.end()
        self._savers.line.end()
        self._logind.let_sleep()

    def _tell(self, event: Event) -> None:
        self._on_event(event)


class Logind:
    """The system bus."""

    def __init__(self, tell: OnEvent) -> None:
        self._tell = tell
        self._there = False
        self._session = ""  # path of our own; "" where logind knows of none: then each one's lock is ours
        self._active = True
        self._seen = False  # this session, at an earlier time: a first look finds nothing changed
        self._hold: int | None = None  # the delay inhibitor, a file descriptor
        self._holding = threading.Lock()
        of_logind = {"type": "signal", "sender": LOGIND}
        owner = MatchRule(
            type="signal", sender=BUS, interface=BUS, member="NameOwnerChanged", path="/org/freedesktop/DBus"
        )
        owner.add_arg_condition(0, LOGIND)
        self.line = Line(
            SYSTEM,
            [
                MatchRule(**of_logind, interface=MANAGER, member="PrepareForSleep"),
                MatchRule(**of_logind, interface=OF_SESSION, member="Lock"),
                MatchRule(**of_logind, interface=PROPERTIES, member="PropertiesChanged"),
                owner,
            ],
            begun=lambda _line: self._begin(),
            heard=self._heard,
            lost=self._lost,
        )

    def standing(self) -> list[Heard]:
        """Whether logind answers, and whether sleep waits for us."""
        why = self.line.problem
        return [
            Heard(Source.LOGIND, self._there, why),
            Heard(Source.SLEEP_DELAY, self._hold is not None, why),
        ]

    def let_sleep(self) -> None:
        """Hold up sleep no more."""
        with self._holding:
            hold, self._hold = self._hold, None
        if hold is not None:
            with contextlib.suppress(OSError):
                os.close(hold)

    def _begin(self) -> None:
        self._there = self.line.owned(LOGIND)
        if not self._there:
            return
        self._session = self._own_session()
        self._hold_up_sleep()
        if not self._session:
            return
        known = self._property("Active")
        was, self._active = self._active, known is not False
        if self._property("LockedHint") is True:
            self._tell(Event.SCREEN)
        elif was and not self._active and known is False and self._seen:
            self._tell(Event.SWITCHED)
        self._seen = True

    def _lost(self) -> None:
        self._there = False
        self.let_sleep()

    def _hold_up_sleep(self) -> None:
        """Have logind wait with sleep until we let go; where it may not, sleep comes and the lock with it."""
        self.let_sleep()
        with contextlib.suppress(Exception):  # refused by its rules, or not known there: told in `standing`
            given = self.line.ask(_manager(), "Inhibit", "ssss", ("sleep", _WHO, _WHY, "delay"))
            with self._holding:
                self._hold = int(given.to_raw_fd())

    def _own_session(self) -> str:
        """The path of the session that we are in: by its name, by our process, or the one that shows our windows."""
        named = os.environ.get("XDG_SESSION_ID", "")
        with contextlib.suppress(Exception):  # not every way leads somewhere; the next one is tried
            if named:
                return str(self.line.ask(_manager(), "GetSession", "s", (named,)))
        with contextlib.suppress(Exception):  # likewise: a desktop's programs run beside its session
            return str(self.line.ask(_manager(), "GetSessionByPID", "u", (os.getpid(),)))
        with contextlib.suppress(Exception):  # likewise
            user = self.line.ask(_manager(), "GetUser", "u", (os.getuid(),))
            at = DBusAddress(str(user), LOGIND, PROPERTIES)
            _kind, (_name, path) = self.line.ask(at, "Get", "ss", ("org.freedesktop.login1.User", "Display"))
            return "" if path == "/" else str(path)
        return ""

    def _property(self, name: str) -> object:
        at = DBusAddress(self._session, LOGIND, PROPERTIES)
        try:
            return self.line.ask(at, "Get", "ss", (OF_SESSION, name))[1]
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - an older logind has not got it
            return None

    def _heard(self, signal: Message) -> None:
        if is_signal(signal, MANAGER, "PrepareForSleep"):
            if signal.body[0]:
                try:
                    self._tell(Event.SLEEP)
                finally:
                    self.let_sleep()
            else:
                self._tell(Event.WOKE)
                self._hold_up_sleep()
        elif is_signal(signal, OF_SESSION, "Lock"):
            if self._is_ours(signal):
                self._tell(Event.SESSION)
        elif is_signal(signal, PROPERTIES, "PropertiesChanged"):
            self._changed(signal)
        elif is_signal(signal, BUS, "NameOwnerChanged"):
            name, _before, now = signal.body
            if name == LOGIND:
                self._lost()
                if now:
                    self._begin()

    def _changed(self, signal: Message) -> None:
        interface, changed, _gone = signal.body
        if interface != OF_SESSION or not self._session or not self._is_ours(signal):
            return
        values: dict[str, Any] = {name: value for name, (_kind, value) in changed.items()}
        active = values.get("Active")
        if active is not None:
            was, self._active = self._active, bool(active)
            if was and not active:
                self._tell(Event.SWITCHED)
        if values.get("LockedHint") is True:
            self._tell(Event.SCREEN)

    def _is_ours(self, signal: Message) -> bool:
        return not self._session or signal.header.fields.get(HeaderFields.path) == self._session


class Savers:
    """The session bus."""

    def __init__(self, tell: OnEvent) -> None:
        self._tell = tell
        self._answering: list[str] = []
        self.line = Line(
            SESSION,
            [MatchRule(type="signal", interface=name, member="ActiveChanged") for name in SAVERS],
            begun=lambda _line: self._begin(),
            heard=self._heard,
            lost=self._answering.clear,
        )

    def standing(self) -> list[Heard]:
        """Which screen saver answers. One that comes later is heard all the same."""
        return [
            Heard(Source.SCREEN_SAVER, bool(self._answering), ", ".join(self._answering) or self.line.problem)
        ]

    def _begin(self) -> None:
        """A screen that was locked while nobody listened is as locked as one that is locked now."""
        self._answering[:] = [name for name in SAVERS if self.line.owned(name)]
        for name in self._answering:
            with contextlib.suppress(Exception):  # it answers nothing; its signals are heard all the same
                if self.line.ask(DBusAddress(SAVERS[name], name, name), "GetActive") is True:
                    self._tell(Event.SCREEN)
                    return

    def _heard(self, signal: Message) -> None:
        if (
            signal.body
            and signal.body[0] is True
            and any(is_signal(signal, name, "ActiveChanged") for name in SAVERS)
        ):
            self._tell(Event.SCREEN)


def _manager() -> DBusAddress:
    return DBusAddress("/org/freedesktop/login1", LOGIND, MANAGER)
