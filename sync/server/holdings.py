"""Says which records a device holds, by its own word of how far it has read: ids and counts, never a name or a value.

A device tells at each exchange up to which number it has read, under which of its person's rights and up to which care
class. What has gone out since it may hold; what it has to let go of it holds until it says otherwise. While it goes
through everything anew, nothing is sure but what it has gone through: then whatever its person could see at any time
counts as held, and the answer says that it is not exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from sync.protocol import codec
from sync.protocol.desk import Holding, HoldsView
from sync.protocol.fields import Care
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from sync.protocol.kinds.pairs import is_pair
from sync.server import access, post, travel
from sync.server.access import Rights
from sync.server.db.base import Transaction
from sync.server.db.kept import FIRST_SCOPES, Device, Entry, Person

_CELLS = msgspec.msgpack.Decoder(dict[str, codec.Raw])


@dataclass(slots=True)
class _Count:
    """What was found of one kind."""

    records: int = 0
    deleted: int = 0
    leaving: int = 0
    coming: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Sight:
    """Under which rights the rows of a device went out, and whether it is sure how far."""

    device: Device
    now: Rights
    before: Sequence[Rights]
    exact: bool


def confirmed(device: Device, person: Person | None) -> bool:
    """Whether a device can hold nothing that left when its person's rights became others."""
    if person is not None and not device.read_scopes and person.scopes == FIRST_SCOPES:
        return True  # it has not come to say so, and these rights were never others
    return _said(device, person)


def _said(device: Device, person: Person | None) -> bool:
    """Whether a device has said that it went through everything under its person's rights of today."""
    if device.wiped or _never_read(device):
        return True  # it holds nothing
    return person is not None and device.read_scopes == person.scopes


def held_by(tx: Transaction, device: Device, person: Person, *, kind: str, ids: bool) -> HoldsView:
    """What a device holds, of one kind where it is named; with `ids`, the records one by one."""
    since = device.read_scopes
    former = travel.at_home(since) if since > 0 else 0
    before = [] if _said(device, person) else tx.people.former_rights(person.id, former)
    # One that has said nothing yet, or is under way, may hold whatever its person could ever see.
    # Nor is it known of one that has said nothing for so long that the log was folded behind it.
    known = device.read_seq >= tx.histories.folded()[0]
    sight = _Sight(device, person.rights, before, exact=known and (_said(device, person) or since > 0))
    found: dict[str, _Count] = {}
    for entry in () if device.wiped or _never_read(device) else tx.records.after(0):
        if kind in ("", entry.kind):
            _count(found.setdefault(entry.kind, _Count()), tx, sight, entry, ids=ids)
    return HoldsView(
        device=device.name,
        id=id_text(device.device),
        enrolment=device.enrolment,
        person=person.email,
        state=post.standing(tx, device).state,
        confirmed=_said(device, person),
        exact=sight.exact,
        read=device.read_seq,
        head=tx.records.head(),
        care=_name(device.read_care),
        care_next=_name(person.rights.care),
        role=person.role,
        team=person.team,
        territories=list(person.territories) if person.role == access.REP else [],
        own_alone=person.role == access.REP and person.own_alone,
        kinds=[
            Holding(
                kind=name, records=each.records, deleted=each.deleted, leaving=each.leaving, coming=each.coming,
                classes=dict(each.classes), ids=each.ids,
            )
            for name, each in sorted(found.items())
            if each.records or each.deleted or each.coming
        ],
    )  # fmt: skip


def keep(tx: Transaction, device: Device) -> None:
    """Keep what lies on a device that has just proven its wipe, as counts: the report on a loss is read afterwards."""
    person = tx.people.person(device.person)
    if person is None:
        return
    seen = travel.seen_from(device, person, post.root_and_policy(tx)[1])
    view = held_by(tx, device, seen, kind="", ids=False)
    tx.consoles.put_lain(device.enrolment, msgspec.msgpack.encode(view))


def kept(tx: Transaction, enrolment: str) -> HoldsView | None:
    """What lay on a wiped device; None where that is not known any more."""
    body = tx.consoles.lain(enrolment)
    return msgspec.msgpack.decode(body, type=HoldsView | None) if body is not None else None


def _never_read(device: Device) -> bool:
    return not device.read_scopes and device.last_seen == device.enrolled


def _count(count: _Count, tx: Transaction, sight: _Sight, entry: Entry, *, ids: bool) -> None:
    holds = _holds(tx, sight, entry)
    sees = access.sees(sight.now, entry.kind, entry.scope)
    fresh = entry.ver > sight.device.read_seq and entry.device != sight.device.device
    count.coming += sees and not entry.deleted and (fresh or not holds)
    if not holds:
        return
    count.records += not entry.deleted
    count.deleted += entry.deleted
    count.leaving += not sees
    count.classes.update(_classes(entry, sight.device.read_care))
    if ids:
        count.ids.append(id_text(entry.id))


def _holds(tx: Transaction, sight: _Sight, entry: Entry) -> bool:
    """Whether the device has this record, as it is or as it was."""
    rights = (sight.now, *sight.before)
    read = sight.device.read_seq
    if sight.exact and entry.ver <= read:
        # Nothing happened to it since: it lies there as it went out, under the rights of then.
        return any(access.sees(each, entry.kind, entry.scope) for each in sight.before or (sight.now,))
    traces = sorted(tx.records.traces(entry.id, read if sight.exact else 0), key=lambda each: each.seq)
    if any(trace.device == sight.device.device for trace in traces):
        return True  # it wrote it
    if not sight.exact:
        scopes = [entry.scope, *(trace.before for trace in traces if trace.before is not None)]
        return any(access.sees(each, entry.kind, scope) for each in rights for scope in scopes)
    before = traces[0].before if traces else None
    return before is not None and any(access.sees(each, entry.kind, before) for each in rights)


def _classes(entry: Entry, care: int) -> set[str]:
    """The care classes of which the device has cells of this record, masks apart."""
    known = KINDS.get(entry.kind)
    found: set[str] = set()
    for cell in _CELLS.decode(entry.cells):
        of = known.by_name.get(cell.partition("/")[0]) if known is not None else None
        unknown = Care.INTERNAL if is_pair(cell) else Care.RESTRICTED
        needs = unknown if of is None else of.care
        if needs <= care:
            found.add(_name(needs))
    return found


def _name(care: int) -> str:
    return Care(care).name.lower()
