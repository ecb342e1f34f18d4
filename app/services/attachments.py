"""Files that belong to records: attach one, fetch it when it is opened, write it where a person says, take it off.

Attaching needs no network: the file is encrypted beside the store first, then its record is written and sealed as any
other act. Its bytes go up behind the exchanges (carrying.py). What the server has, too, leaves the disk when there is
no room for it; what it does not have never does.
"""

from __future__ import annotations

import contextlib
import errno
import mimetypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from app import settings
from app.changes import Changes
from app.errors import AppError, NotFound, Offline, unwritten
from app.services import copies, records
from app.services.session import Session
from app.services.unfinished import Unfinished
from app.store import lists
from app.store import records as records_of
from app.store.attached import named
from app.store.blobs import Blobs
from app.store.reader import Reader
from app.store.records import Record
from sync.protocol.fields import Ref, Value
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _
from sync.protocol.uses import ATTACH, EXPORT, OPEN_OUTSIDE

ATTACHMENT: Final = KINDS["attachment"]
NAME_MAX: Final = 200

Told = Callable[[int, int], None]  # how much of a file is here, and of how much


def no_one(_done: int, _of: int) -> None:
    """Nobody wants to know how far it is."""


def reference_to(kind: Kind) -> str | None:
    """The field by which an attachment belongs to a record of this kind; None where nothing is attached to those."""
    for field in ATTACHMENT.fields:
        if isinstance(field.type, Ref) and field.type.to == kind.name:
            return field.name
    return None


def attach(session: Session, record_id: bytes, path: Path) -> Record:
    """Attach a file to a record. Raises NotFound, TooLarge, NoSpace, AppError, Locked; then nothing is attached."""
    record = records.get(session, record_id)
    records.refuse_role(session, ATTACHMENT)
    session.ruling.refuse_use(ATTACH)
    values = _belonging(record)
    blobs = Blobs(session.profile)
    with _readable(path) as file:
        content = blobs.take_in(file)
    values |= {
        "name": path.name[:NAME_MAX] or _("Without a name"),
        "media": mimetypes.guess_type(path.name)[0],
        "content": content,
        "by": session.card.person.email,
        "added": {"at": session.now(), "zone": "UTC"},
    }
    try:
        return records.add(session, ATTACHMENT, values)
    except BaseException:
        blobs.never_mind(content["sha256"])
        raise


def of(store: Reader, record: Record) -> list[Record]:
    """What is attached to a record, the newest first; of an attachment, itself."""
    if record.kind is ATTACHMENT:
        return [records_of.get(store, record.id)]
    field = reference_to(record.kind)
    if field is None:
        return []
    where = {field: id_text(record.id)}
    return lists.page(store, ATTACHMENT, where=where, order="-added", limit=1_000).records


def attached(session: Session, attachment_id: bytes) -> Record:
    """The record of an attachment. Raises NotFound, Locked."""
    record = records.get(session, attachment_id)
    if record.kind is not ATTACHMENT or record.deleted:
        raise NotFound(
            _("This is no attachment."), _("List those of a record with: fieldkeep attachments ID")
        )
    return record


def content_of(record: Record) -> dict[str, Any]:
    """What an attachment holds. Raises AppError where this role may not see it."""
    content: dict[str, Any] | None = record.values.get("content")
    if content is None or not any(content["key"]):
        raise AppError(_("This attachment is hidden on this device."), _("Ask IT if you need to see it."))
    return content


def have(session: Session, record: Record, told: Told = no_one) -> None:
    """Have the bytes of an attachment here, fetched where they are not. Raises Offline, NotFound, NoSpace, AppError."""
    content, blobs = content_of(record), Blobs(session.profile)
    if blobs.is_here(content["sha256"]):
        return
    from app.services import carrying  # with the network's parts

    try:
        carrying.fetch(session, record.id, content, told)
    except Offline as problem:
        raise Offline(
            _("This attachment is not on this device yet, and the server could not be reached."),
            _("Connect, and open it again: what has come so far is kept."),
        ) from problem
    except OSError as problem:
        raise no_room(problem) from problem
    keep_within(session, (content["sha256"],))
    session.files.publish(Changes())


def save(session: Session, record: Record, place: Path, told: Told = no_one) -> int:
    """Write the file of an attachment to a place that a person named; how many bytes it has.

    Raises what `have` raises, and AppError where the file cannot be written; then there is none.
    """
    session.ruling.refuse_use(EXPORT)
    have(session, record, told)
    try:
        making = Unfinished(session.profile, place)
        try:
            with os.fdopen(making.handle, "wb") as file:
                size = _write(session, record, file.write)
                file.flush()
                os.fsync(file.fileno())
            _still_open(session)
            making.put_in_place()
        except BaseException:
            making.leave()
            raise
    except OSError as error:
        raise unwritten(error) from error
    return size


def open_copy(session: Session, record: Record, told: Told = no_one) -> Path:
    """A copy in clear that another program may read, and nobody but this person; gone when the store closes, and at the
    next start at the latest. Raises what `have` raises, NoSpace, AppError.
    """
    session.ruling.refuse_use(OPEN_OUTSIDE)
    copies.refuse_programs(record.title)
    have(session, record, told)
    try:
        sha256 = content_of(record)["sha256"]
        with copies.making(session.profile, record.title, sha256) as (place, handle):
            with os.fdopen(handle, "wb") as file:
                _write(session, record, file.write)
            _still_open(session)
            return place
    except OSError as error:
        raise unwritten(error) from error


def remove(session: Session, record: Record) -> Record:
    """Take an attachment off its record, as any record is deleted: it can be brought back for a while."""
    return records.delete(session, record.id)


def keep_within(session: Session, spare: tuple[bytes, ...] = ()) -> None:
    """Let go of what no record here names any more, and of what there is no room for."""
    blobs, names = Blobs(session.profile), session.read(named)
    blobs.sweep(names)
    copies.sweep(session.profile, names)
    blobs.keep_within(int(settings.load(session.profile)["attachments"]), spare)


def no_room(problem: OSError) -> AppError:
    """What to tell when what is fetched could not be written."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return unwritten(problem)
    return AppError(
        _("The attachment could not be kept on this device."),
        _("Check the rights of the profile's folder, then try again."),
    )


def _write(session: Session, record: Record, write: Callable[[bytes], object]) -> int:
    size = 0
    for piece in Blobs(session.profile).opened(content_of(record)):
        write(piece)
        size += len(piece)
    return size


def _still_open(session: Session) -> None:
    """A lock takes away what was written in clear by then: what comes after it must not stay either. Raises Locked."""
    session.read(lambda _store: None)


def _belonging(record: Record) -> dict[str, Value]:
    """The fields by which an attachment belongs to a record, and to the customer that this one belongs to."""
    field = reference_to(record.kind)
    if field is None or record.deleted:
        raise AppError(
            _("Nothing can be attached to this record."),
            _("Attach the file to a customer, a contact, a deal, a task or an activity."),
        )
    values: dict[str, Value] = {field: record.id}
    customer = record.values.get("customer")
    if customer is not None:
        values.setdefault("customer", customer)
    return values


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[Any]:
    try:
        if not path.is_file():
            raise AppError(_("There is no such file."), _("Name a file that is there, and no folder."))
        file = path.open("rb")
    except OSError as problem:
        raise AppError(
            _("The file could not be read; nothing was attached."),
            _("Open it elsewhere first, then try again."),
        ) from problem
    with file:
        yield file
