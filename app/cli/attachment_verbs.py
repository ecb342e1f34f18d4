"""The verbs of attachments: attach a file to a record, list what is attached, write one to a file."""

from __future__ import annotations

from typing import Any

from app.cli import show
from app.cli.verb import Arguments, done, refuse_replacing, say, unlocked
from app.paths import Profile
from app.services import attachments, records
from app.store.blobs import Blobs
from app.store.records import Record
from sync.protocol.ids import id_text
from sync.protocol.joins import sized
from sync.protocol.texts import gettext as _


def attach(profile: Profile, args: Arguments) -> int:
    """Attach a file to a record."""
    with unlocked(profile) as session:
        record = attachments.attach(session, records.find_id(args.id), args.file)
        said = _as_json(record, Blobs(profile))
    text = _("Attached: {name} ({id}). It goes up with the next exchange.")
    return done(args, said, text.format(name=record.title, id=id_text(record.id)))


def list_of(profile: Profile, args: Arguments) -> int:
    """List what is attached to a record."""
    blobs = Blobs(profile)
    with unlocked(profile) as session:
        found = session.call(attachments.of, records.get(session, records.find_id(args.id)))
    if args.json:
        show.emit([_as_json(record, blobs) for record in found])
        return 0
    for record in found:
        say(_line(record, blobs))
    if not found:
        say(_("Nothing is attached to this record."))
    return 0


def save(profile: Profile, args: Arguments) -> int:
    """Write an attachment to a file that only this person may read."""
    refuse_replacing(args.file)
    with unlocked(profile) as session:
        record = attachments.attached(session, records.find_id(args.id))
        size = attachments.save(session, record, args.file)
    document = {"id": id_text(record.id), "name": record.title, "size": size, "file": str(args.file)}
    return done(args, document, _("Written: {size}.").format(size=sized(size)))


def standing(record: Record, blobs: Blobs) -> str:
    """How the bytes of an attachment stand on this device, in one word for scripts."""
    sha256 = (record.values.get("content") or {}).get("sha256", b"")
    if blobs.waits(sha256):
        return "waiting"
    return "here" if blobs.is_here(sha256) else "not_here"


def _as_json(record: Record, blobs: Blobs) -> dict[str, Any]:
    content = record.values.get("content") or {}
    return {
        "id": id_text(record.id),
        "name": record.title,
        "size": content.get("size"),
        "media": record.values.get("media"),
        "by": record.values.get("by"),
        "added": show.when_iso((record.values.get("added") or {}).get("at", 0)),
        "content": standing(record, blobs),
    }


def _line(record: Record, blobs: Blobs) -> str:
    content = record.values.get("content") or {}
    words = {
        "waiting": _("waits to go up"),
        "here": _("on this device"),
        "not_here": _("not here yet: fetched when it is opened"),
    }
    parts = (
        id_text(record.id),
        record.title,
        sized(content.get("size", 0)),
        record.values.get("media") or "",
        record.values.get("by") or "",
        words[standing(record, blobs)],
    )
    return "\t".join(parts)
