"""A look at everything that must hold on this device, each with what it found; and mending what can be."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.errors import AppError, NewerStore, Offline, StoreDamaged
from app.services import comparing, reasons, renewing, rotation, sealed_work
from app.services.guard import Rung
from app.services.reasons import Told
from app.services.session import ACTIVE, Session
from app.store import examination
from app.store.circles import circles
from app.store.store import Store
from app.system.events import Source, system_listener
from sync.client.errors import ExchangeError, ServerRefused
from sync.client.https import reachable
from sync.protocol import version
from sync.protocol.errors import Problem
from sync.protocol.ids import id_text
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
from sync.protocol.texts import ngettext

OK: Final = "ok"
WARNING: Final = "warning"  # worth a word, and nothing to mend
FAULT: Final = "fault"
SYSTEM_S: Final = 3.0  # for both buses to answer; a desktop that has none says so at once
DEAF: Final = {
    Source.LOGIND: N_("The system does not tell of sleep and of other users: lock by hand."),
    Source.SLEEP_DELAY: N_("Sleep does not wait for the lock."),
    Source.SCREEN_SAVER: N_("No screen saver says when the screen is locked."),
    Source.WINDOWS: N_("The system does not tell of sleep and of locked screens: lock by hand."),
    Source.MACOS: N_("The system does not tell of sleep and of locked screens: lock by hand."),
}
CIRCLES_TOLD: Final = 5  # and as many records of each


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    grave: bool = True  # False: being offline is nothing to mend

    @property
    def level(self) -> str:
        """ok, warning or fault."""
        if self.ok:
            return OK
        return FAULT if self.grave else WARNING


class AtWork:
    """What is being done at the moment, for whoever shows it from another thread."""

    def __init__(self) -> None:
        self.said: Callable[[], str] = str

    def is_at(self, text: str) -> None:
        """From here on this is done."""
        self.said = lambda: text


def examine(session: Session, at_work: AtWork) -> list[Finding]:
    """Keyring, documents, orders, clock, server, and, while unlocked, the store."""
    held = session.papers.held
    findings = [
        Finding(_("Version"), True, version.APP_VERSION),
        Finding(_("System keyring"), True, _("answers, and holds this device's keys")),
        _system(),
    ]
    if session.damage is not None:
        findings.append(Finding(_("Files of this device"), False, str(session.damage)))
    if held.policy.version:
        said = _("root {root}, policy {policy}").format(root=held.root.version, policy=held.policy.version)
        findings.append(Finding(_("Signed documents"), True, said))
    else:
        said = _("root {root}; the policy is missing").format(root=held.root.version)
        findings.append(Finding(_("Signed documents"), False, said))
    server = _server(session)
    findings += [_orders(session), _clock(session), server]
    findings += map(_asked, reasons.told(session.ruling.verdict))
    if session.damage is None:
        findings.append(
            Finding(_("Keys of this device"), True, rotation.in_words(session.rotation.standing()))
        )
    if session.damage is not None:
        return [*findings, Finding(_("Store"), False, _("shut, since files of this device do not hold"))]
    if session.stage != ACTIVE:
        return [*findings, Finding(_("Store"), True, _("locked; not looked at"))]
    try:
        at_work.is_at(_("Looking at the store …"))
        checks = session.call(examination.checks)
        unsent = session.call(Store.unsent)
        closed = session.call(circles)
    except (StoreDamaged, NewerStore) as damage:
        return [*findings, Finding(_("Store"), False, str(damage))]
    findings += [*_store(checks), *map(_circle, closed[:CIRCLES_TOLD])]
    if len(checks) > 1:
        at_work.is_at(_("Holding the records against the server's …"))
        findings.append(_against_server(session, there=server.ok))
    waiting = ngettext("{n} change waits to be sent", "{n} changes wait to be sent", unsent).format(n=unsent)
    findings.append(Finding(_("Unsent changes"), True, waiting))
    aside = sealed_work.set_aside(session.profile)
    if aside:
        said = ngettext(
            "{n} sealed record of work that the store does not know is kept for IT",
            "{n} sealed records of work that the store does not know are kept for IT",
            aside,
        )
        findings.append(Finding(_("Sealed work"), False, said.format(n=aside), grave=False))
    if session.profile.store_aside.exists():
        said = _("a file that this device's keys do not open was put aside as {name}. Tell IT.")
        aside_name = session.profile.store_aside.name
        findings.append(Finding(_("File put aside"), False, said.format(name=aside_name), grave=False))
    return findings


def examine_ruin(damage: AppError) -> list[Finding]:
    """The same where not even the root is left to go by: what is wrong, and nothing more can be looked at."""
    return [
        Finding(_("Version"), True, version.APP_VERSION),
        Finding(_("Files of this device"), False, str(damage)),
        Finding(_("Store"), False, _("shut, since files of this device do not hold")),
    ]


def mend(session: Session, at_work: AtWork) -> list[Finding]:
    """Fetch the records that are not as the server has them, then make anew what the store reads off its rows: indexes,
    search, counts. A store whose pages do not hold is made anew from the server. Unsent work is never touched: what is
    told is what became of it.

    Raises Locked, Wiped, NoSpace. Without the server, or one that cannot compare, the records stay as they are, and
    nothing is made of pages that do not hold: `examine` says so.
    """
    if session.damage is not None:
        return []  # the keys to the store are not to be had
    try:
        at_work.is_at(_("Looking at the pages of the store …"))
        session.call(lambda store: store.db.check())
        if not session.call(lambda store: store.db.indexes_hold()):
            session.call(examination.repair)  # what is fetched is laid in by way of the indexes
        at_work.is_at(_("Holding the records against the server's …"))
        with contextlib.suppress(ExchangeError):
            comparing.level(session)
        at_work.is_at(_("Making indexes, search and counts anew …"))
        session.call(examination.repair)
    except StoreDamaged as damage:
        return [_made_anew(session, damage, at_work)]
    return []


def _made_anew(session: Session, damage: StoreDamaged, at_work: AtWork) -> Finding:
    name = _("Store made anew")

    def fetched(n: int) -> str:
        text = ngettext(
            "Making the store anew: {n} record fetched …", "Making the store anew: {n} records fetched …", n
        )
        return text.format(n=n)

    def filling(so_far: Callable[[], int]) -> None:
        at_work.said = lambda: fetched(so_far())

    at_work.is_at(_("Making the store anew …"))
    try:
        made, brought = renewing.make_anew(session, damage, filling)
    except (Offline, ExchangeError) as problem:
        said = _("not without the server: {problem} Nothing was changed.").format(problem=problem.title)
        return Finding(name, False, said)
    except StoreDamaged as still:
        return Finding(name, False, str(still))
    if brought is None:
        said = _("filled as far as the connection went. Go on with: fieldkeep sync")
    else:
        said = ngettext(
            "filled with {n} record from the server",
            "filled with {n} records from the server",
            brought.received,
        ).format(n=brought.received)
    if not made.carried:
        return Finding(name, True, said)
    unsent = ngettext(
        "{n} unsent change was carried over", "{n} unsent changes were carried over", made.unsent
    ).format(n=made.unsent)
    return Finding(name, True, f"{said}; {unsent}" if made.unsent else said)


def _store(checks: list[examination.Check]) -> list[Finding]:
    """The store as a whole, then each part of it where there is more to tell."""
    problems = [problem for check in checks for problem in check.problems]
    if len(checks) == 1:
        # Pages do not hold. Records come again from the server, and unsent work is in its sealed copy.
        problems.append(_("Unsent work is kept. Connect and run: fieldkeep doctor --repair"))
    elif problems:
        problems.append(_("Mend it with: fieldkeep doctor --repair"))
    whole = Finding(_("Store"), not problems, sentences(*problems) or _("every page and index holds"))
    return [
        whole,
        *(Finding(each.name, not each.problems, sentences(*each.problems) or _("holds")) for each in checks),
    ]


def _against_server(session: Session, *, there: bool) -> Finding:
    """The records held against the server's, as far as it can be asked."""
    name = _("Records and the server")
    if not there:
        return Finding(name, False, _("not compared, since the server could not be reached"), grave=False)
    try:
        found = comparing.compare(session)
    except ServerRefused as refusal:
        if refusal.problem is Problem.NOT_HERE:
            said = _("not compared, since the server is older than this program and cannot do it yet")
        else:
            said = _("not compared: {problem}").format(problem=refusal)
        return Finding(name, False, said, grave=False)
    except ExchangeError as problem:
        return Finding(name, False, _("not compared: {problem}").format(problem=problem), grave=False)
    if found.differing:
        n = found.differing
        said = ngettext(
            "{n} record is not as the server has it.", "{n} records are not as the server has them.", n
        )
        return Finding(name, False, sentences(said.format(n=n), _("Mend it with: fieldkeep doctor --repair")))
    if found.kept:
        said = ngettext(
            "{n} record is here that the server does not have for you. It stays here; tell IT.",
            "{n} records are here that the server does not have for you. They stay here; tell IT.",
            found.kept,
        )
        return Finding(name, False, said.format(n=found.kept), grave=False)
    return Finding(name, True, _("agree"))


def _circle(ids: list[bytes]) -> Finding:
    """Records that are part of each other: which link is wrong, only a person can say."""
    said = _("part of each other: {ids}. Take one link away: fieldkeep edit {id} parent=")
    first = id_text(ids[0])
    names = ", ".join(map(id_text, ids[:CIRCLES_TOLD]))
    return Finding(_("Records in a circle"), False, said.format(ids=names, id=first), grave=False)


def _orders(session: Session) -> Finding:
    alarm = session.ruling.alarm()
    if alarm is not None:
        at = dt.datetime.fromtimestamp(alarm.at / 1000, dt.UTC).isoformat(timespec="minutes")
        said = _("something did not hold and was refused: {rule}, {time}. Tell IT.")
        return Finding(_("Orders"), False, said.format(rule=alarm.rule, time=at))
    if session.papers.order_missing():
        return Finding(_("Orders"), False, _("one has not arrived. Connect and run: fieldkeep sync"))
    return Finding(_("Orders"), True, _("all hold"))


def _asked(told: Told) -> Finding:
    """What policy does not find as it should be."""
    return Finding(_("Policy"), False, sentences(told.problem, told.step), grave=told.rung > Rung.RESTRICT)


def _clock(session: Session) -> Finding:
    anomaly = session.ruling.clock_anomaly()
    return Finding(_("Clock"), not anomaly, anomaly or _("agrees with the last contact"))


def _system() -> Finding:
    """Whether the system tells of sleep, locked screens and other users; tried now, as the window does."""
    listener = system_listener()
    listener.begin(lambda _event: None)
    listener.settled(SYSTEM_S)
    heard = listener.standing()
    listener.end()
    deaf = [_(DEAF[each.source]) for each in heard if not each.there and each.source in DEAF]
    if not heard:
        return Finding(_("System events"), False, _("nothing tells of them on this system"), grave=False)
    if deaf:
        return Finding(_("System events"), False, sentences(*deaf), grave=False)
    return Finding(_("System events"), True, _("sleep, a locked screen and another user lock at once"))


def _server(session: Session) -> Finding:
    there = reachable(session.card.server_url, session.papers.held.root.tls_ca)
    return Finding(_("Server"), there, _("answers") if there else _("could not be reached"), grave=False)
