"""The verbs `fieldkeep-admin audit`: what stands in the audit table, and the proof that nothing of it was rewritten."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

import msgspec

from sync.compose import telling
from sync.console import log_desk
from sync.console.paper_words import spaced
from sync.console.ports import Office
from sync.protocol.consoles import person_of
from sync.protocol.texts import gettext as _


def listed(asked: argparse.Namespace, office: Office) -> int:
    """The newest lines."""
    lines = office.audit(asked.limit, asked.find)
    if asked.json:
        telling.document([{**msgspec.structs.asdict(each), "at": telling.when(each.at)} for each in lines])
        return 0
    rows = [
        [
            str(each.n),
            telling.when(each.at) or "",
            each.who or person_of(each.actor),
            each.verb,
            each.what or each.object,
        ]
        for each in lines
    ]
    telling.table([_("number"), _("when"), _("who"), _("what"), _("to")], rows, _("Nothing is there."))
    return 0


def proof(asked: argparse.Namespace, office: Office) -> int:
    """Write a checkpoint, and the proof from an earlier one on."""
    found = office.log_proof(asked.since)
    log_desk.write(asked.file, found)
    checkpoint = log_desk.checkpoint_of(found.root, found.checkpoint)
    if asked.json:
        telling.document({"file": str(asked.file), "entries": checkpoint.size, "root": checkpoint.root})
    else:
        telling.say(_("Written: {file}").format(file=asked.file))
        telling.say(
            _("Whoever keeps a checkpoint verifies it: fieldkeep-admin audit verify FILE --kept KEPT")
        )
    return 0


def verify(asked: argparse.Namespace) -> int:
    """Hold a proof against what was kept, and keep what it leads to. It needs no server."""
    kept = log_desk.read_kept(asked.kept)
    checkpoint, after = log_desk.verified(log_desk.read_proof(asked.file), kept)
    log_desk.write(asked.kept, after)
    if asked.json:
        telling.document(
            {"entries": checkpoint.size, "root": checkpoint.root, "at": telling.when(checkpoint.at)}
        )
        return 0
    if kept is None:
        telling.say(_("This is the first checkpoint that is kept here; the next one is held against it."))
    else:
        telling.say(_("All that was kept is still there, as it was."))
    said = _("{n} entries on {at}, root {digits}.")
    digits = spaced(checkpoint.root[:32])
    telling.say(said.format(n=checkpoint.size, at=telling.when(checkpoint.at), digits=digits))
    telling.say(_("Next time: fieldkeep-admin audit proof FILE --since {n}").format(n=checkpoint.size))
    return 0


VERBS: Final[dict[str, Callable[[argparse.Namespace, Office], int]]] = {
    "audit list": listed,
    "audit proof": proof,
}
OFFLINE: Final[dict[str, Callable[[argparse.Namespace], int]]] = {"audit verify": verify}
