"""What each verb does: one function a verb, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.cli import show
from app.errors import AppError, Locked, Wiped, WrongUse
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services import doctor as examination
from app.services import enrolment, records
from app.services.session import Session, finish_wipe, open_session
from app.services.syncing import Syncing
from app.store import conflicts as met
from app.store import lists, search
from app.store.records import Record
from app.store.store import Store
from sync.client.errors import ExchangeError
from sync.protocol import clock
from sync.protocol.ids import id_text
from sync.protocol.kinds import Kind, kind_of
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

STDIN_MAX = 16 * 2**20
PAGE = 500

Arguments = argparse.Namespace
Verb = Callable[[Profile, Arguments], int]


def enrol(profile: Profile, args: Arguments) -> int:
    """Join an organisation."""
    code = input(_("Enrolment code: ")) if sys.stdin.isatty() else sys.stdin.read(4096)
    card = enrolment.enrol(profile, code, args.name)
    if args.json:
        show.emit(_card(card))
    else:
        _say(
            _("{device} is enrolled for {person} at {org}.").format(
                device=card.name, person=card.person.email, org=card.org_name
            )
        )
        _say(_("Fetch your customers with: fieldkeep sync"))
    return 0


def sync(profile: Profile, args: Arguments) -> int:
    """Exchange with the server; while wiped, hand in the receipt."""
    try:
        session = open_session(profile)
    except Wiped:
        _hand_in(profile)
        raise
    with session:
        syncing = Syncing(session)
        try:
            done = syncing.round()
        finally:
            syncing.close()
        unsent = session.call(Store.unsent)
    if args.json:
        show.emit(
            {
                "sent": done.sent,
                "received": done.received,
                "conflicts": done.conflicts,
                "refused": done.rejected,
                "recovered": done.recovered,
                "unsent": unsent,
            }
        )
        return 0
    _say(_("Sent {sent}, received {received}.").format(sent=done.sent, received=done.received))
    if done.recovered:
        text = ngettext(
            "{n} change recovered from another device.",
            "{n} changes recovered from another device.",
            done.recovered,
        )
        _say(text.format(n=done.recovered))
    if done.conflicts:
        _say(_("Some edits met. See both values with: fieldkeep conflicts"))
    if done.rejected:
        _say(_("Some changes were not accepted. See them with: fieldkeep conflicts"))
    return 0


def status(profile: Profile, args: Arguments) -> int:
    """How this device stands; answers while locked and after a wipe too."""
    try:
        session = open_session(profile)
    except Wiped as wiped:
        found: dict[str, Any] = dict.fromkeys(_STATUS_FIELDS)
        found.update(state="wiped", message=str(wiped))
    else:
        with session:
            found = _standing(session)
    if args.json:
        show.emit(found)
    else:
        for name, value in found.items():
            if value is not None:
                _say(f"{name.replace('_', ' ')}: {value}")
    return 0


def lock(profile: Profile, args: Arguments) -> int:
    """Close the store and forget its key."""
    with open_session(profile) as session:
        session.lock()
    return _done(args, {"state": "locked"}, _("Fieldkeep is locked."))


def unlock(profile: Profile, args: Arguments) -> int:
    """Open the store again; what IT locked stays shut."""
    with open_session(profile) as session:
        pin = _passphrase(_("PIN: ")) if session.needs_pin() else None
        session.unlock(pin)
    return _done(args, {"state": "active"}, _("Fieldkeep is unlocked."))


def doctor(profile: Profile, args: Arguments) -> int:
    """Look at everything that must hold here."""
    with open_session(profile) as session:
        findings = examination.examine(session)
    sound = all(finding.ok for finding in findings if finding.grave)
    if args.json:
        checks = [{"name": f.name, "ok": f.ok, "found": f.found} for f in findings]
        show.emit({"ok": sound, "checks": checks})
    else:
        for finding in findings:
            _say(f"{'✓' if finding.ok else '✗'} {finding.name}: {finding.found}")
    return 0 if sound else 1


def conflicts(profile: Profile, args: Arguments) -> int:
    """Edits that met, with both values, and changes that were refused."""
    with unlocked(profile) as session:
        found = session.call(met.open_conflicts)
        refused = session.call(met.attention)
    if args.json:
        show.emit([_conflict_json(each) for each in found] + [_refused_json(each) for each in refused])
        return 0
    if not found and not refused:
        _say(_("Nothing to choose."))
    for each in found:
        conflict = each.conflict
        _say(f"{each.title} · {conflict.cell or _('the whole record')}")
        _say(
            "  "
            + _("shown: {value} ({person})").format(value=_short(conflict.shown), person=conflict.shown_by)
        )
        _say(
            "  " + _("kept: {value} ({person})").format(value=_short(conflict.kept), person=conflict.kept_by)
        )
    for one in refused:
        _say(_("Not accepted ({code}): a change of {title}.").format(code=one.code, title=one.title))
        if one.hint:
            _say("  " + one.hint)
    return 0


def add(profile: Profile, args: Arguments) -> int:
    """Make one record, or several from a JSON list."""
    kind = kind_of(args.kind)
    with unlocked(profile) as session:
        if args.pairs == ["-"]:
            found = _read_json()
            many = isinstance(found, list)
            made = [
                records.add(session, kind, records.given(session, kind, each))
                for each in (found if many else [found])
            ]
        else:
            many = False
            made = [records.add(session, kind, records.typed(session, kind, _pairs(args.pairs), {}))]
        return _show(session, args, made if many else made[0])


def edit(profile: Profile, args: Arguments) -> int:
    """Change fields of a record."""
    with unlocked(profile) as session:
        record = records.get(session, records.find_id(args.id))
        if args.pairs == ["-"]:
            values = records.given(session, record.kind, _read_json())
        else:
            values = records.typed(session, record.kind, _pairs(args.pairs), record.values)
        return _show(session, args, records.edit(session, record.id, values))


def delete(profile: Profile, args: Arguments) -> int:
    """Take a record off all lists."""
    with unlocked(profile) as session:
        record = records.delete(session, records.find_id(args.id))
        if args.json:
            return _show(session, args, record)
        _say(_("Deleted. Take it back with: fieldkeep undelete {id}").format(id=id_text(record.id)))
        return 0


def undelete(profile: Profile, args: Arguments) -> int:
    """Bring a deleted record back."""
    with unlocked(profile) as session:
        return _show(session, args, records.undelete(session, records.find_id(args.id)))


def show_one(profile: Profile, args: Arguments) -> int:
    """Show one record."""
    with unlocked(profile) as session:
        return _show(session, args, records.get(session, records.find_id(args.id)))


def list_kind(profile: Profile, args: Arguments) -> int:
    """List records of a kind by title, all or the first N."""
    kind = kind_of(args.kind)
    where = dict(_pairs(args.where))
    with unlocked(profile) as session:
        found: list[Record] = []
        after: tuple[Any, ...] | None = None
        while args.limit is None or len(found) < args.limit:
            size = PAGE if args.limit is None else min(PAGE, args.limit - len(found))
            page = session.call(_page, kind, where, after, size)
            found += page.records
            after = page.next
            if after is None:
                break
        return _show_rows(session, args, found)


def find(profile: Profile, args: Arguments) -> int:
    """Find records of all kinds; none found is an answer too."""
    text = sys.stdin.read(10_000).strip() if args.text == "-" else args.text
    with unlocked(profile) as session:
        hits = session.call(_find, text, args.limit)
        return _show_rows(session, args, [hit.record for hit in hits])


def unlocked(profile: Profile) -> Session:
    """An open session whose store may be read. Raises Locked."""
    session = open_session(profile)
    if session.stage != "active":
        problem = session.locked_error()
        session.close()
        raise problem
    return session


def _page(
    store: Store, kind: Kind, where: dict[str, str], after: tuple[Any, ...] | None, limit: int
) -> lists.Page:
    return lists.page(store, kind, where=where, after=after, limit=limit)


def _find(store: Store, text: str, limit: int) -> list[search.Hit]:
    return search.find(store, text, limit=limit)


def _hand_in(profile: Profile) -> None:
    try:
        finish_wipe(profile)
    except ExchangeError as problem:
        print(problem, file=sys.stderr)


_STATUS_FIELDS = (
    "state",
    "device",
    "device_id",
    "person",
    "role",
    "team",
    "organisation",
    "server",
    "unsent",
    "last_sync",
    "policy_version",
    "lease_until",
    "customers",
    "conflicts",
    "refused",
    "warning",
    "message",
)


def _standing(session: Session) -> dict[str, Any]:
    card, state = session.card, session.state
    found: dict[str, Any] = dict.fromkeys(_STATUS_FIELDS)
    found.update(
        state="active" if session.stage == "active" else "locked",
        device=card.name,
        device_id=id_text(bytes.fromhex(card.device)),
        person=card.person.email,
        role=card.person.role,
        team=card.person.team,
        organisation=card.org_name,
        server=card.server_url,
        unsent=state.unsent,
        last_sync=show.when_iso(state.last_contact),
        policy_version=session.papers.held.policy.version,
        lease_until=show.when_iso(state.lease_until),
        warning=session.warning() or None,
    )
    if session.stage == "active":
        found.update(
            unsent=session.call(Store.unsent),
            customers=session.call(Store.counts).get("customer", 0),
            conflicts=session.call(met.open_count),
            refused=session.call(met.attention_count),
        )
    else:
        found["message"] = str(session.locked_error())
    return found


def _show(session: Session, args: Arguments, record: Record | list[Record]) -> int:
    if args.json:
        show.emit([show.as_json(r) for r in record] if isinstance(record, list) else show.as_json(record))
        return 0
    for each in record if isinstance(record, list) else [record]:
        for line in show.lines(each, lambda ref: session.call(lists.title_of, ref)):
            _say(line)
    return 0


def _show_rows(session: Session, args: Arguments, found: list[Record]) -> int:
    if args.json:
        show.emit([show.as_json(record) for record in found])
        return 0
    for record in found:
        _say(show.row(record, lambda ref: session.call(lists.title_of, ref)))
    return 0


def _conflict_json(each: met.OpenConflict) -> dict[str, Any]:
    conflict = each.conflict
    return {
        "id": id_text(conflict.id),
        "kind": conflict.kind,
        "record": id_text(conflict.record),
        "title": each.title,
        "field": conflict.cell,
        "shown": conflict.shown,
        "shown_by": conflict.shown_by,
        "shown_at": show.when_iso(clock.millis(conflict.shown_hlc)),
        "kept": conflict.kept,
        "kept_by": conflict.kept_by,
        "kept_at": show.when_iso(clock.millis(conflict.kept_hlc)),
        "base": conflict.base,
        "state": conflict.state,
    }


def _refused_json(each: met.Attention) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "record": id_text(each.id),
        "title": each.title,
        "values": each.op.set if each.op else None,
        "code": each.code,
        "hint": each.hint,
        "state": "refused",
    }


def _card(card: Any) -> dict[str, Any]:
    return {
        "device": card.name,
        "device_id": id_text(bytes.fromhex(card.device)),
        "enrolment": card.enrolment,
        "person": card.person.email,
        "role": card.person.role,
        "team": card.person.team,
        "organisation": card.org_name,
        "server": card.server_url,
    }


def _pairs(items: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise WrongUse(_("“{item}” is not FIELD=VALUE.").format(item=item[:60]))
        pairs.append((name, value))
    return pairs


def _read_json() -> Any:
    text = sys.stdin.read(STDIN_MAX + 1)
    if len(text) > STDIN_MAX:
        raise AppError(_("Too much on standard input."), _("Use fieldkeep import for many records."))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise AppError(_("Standard input is not JSON."), _("Nothing was changed.")) from None


def _passphrase(prompt: str) -> SecretBytes:
    named = os.environ.get("FIELDKEEP_PASSPHRASE_FILE")
    if named:
        return SecretBytes(Path(named).read_bytes().strip())
    if not sys.stdin.isatty():
        raise Locked(_("A PIN is needed."), _("Name a file with it in FIELDKEEP_PASSPHRASE_FILE."))
    return SecretBytes(getpass.getpass(prompt).encode())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=show.plain)
    return text if len(text) <= 200 else text[:199] + "…"


def _done(args: Arguments, document: dict[str, Any], text: str) -> int:
    if args.json:
        show.emit(document)
    else:
        _say(text)
    return 0


def _say(text: str) -> None:
    print(text)
