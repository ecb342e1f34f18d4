"""What may stand on the command line of `fieldkeep-admin` about signing: papers, the root, keys of one's own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sync.console import card, root_desk, shares
from sync.protocol.texts import gettext as _

Verb = Callable[..., argparse.ArgumentParser]


def papers(verb: Verb) -> None:
    """`sign` and `file`."""
    away = _("It shows the order or root from its bytes, asks, and signs. It needs no server and no --data.")
    sign = verb("sign", _("sign an order or a root on a machine of your own"), away)
    drawn = _("as it was drawn up with --draft; the signature is put into it")
    sign.add_argument("file", type=Path, metavar="FILE", help=drawn)
    _hardware(
        sign,
        _("sign with a security key that is plugged in"),
        _("sign with a passkey, on a page of this machine"),
    )
    filed = verb(
        "file",
        _("bring an order or a root that is signed to the server"),
        _("Devices take it at their next contact."),
    )
    filed.add_argument("file", type=Path, metavar="FILE", help=_("as others have signed it"))


def roots(among: Any, verb: Verb) -> None:
    """`root …`."""
    verb("root show", _("every key that counts, and what a wipe needs"), "", among)
    public = _("the public half of a key, as “keys new” wrote it")
    told = _("Devices take the next root at their next contact.")
    person = verb("root admin-add", _("let one more person sign wipes"), told, among)
    key = verb("root key-add", _("enter one more key of an admin"), told, among)
    for each in (person, key):
        each.add_argument("card", nargs="+", type=Path, metavar="PUB", help=public)
    lost = verb("root key-drop", _("take a lost key out of the root"), told, among)
    lost.add_argument("key", metavar="DIGITS", help=_("the first digits of its SHA-256, as in: root show"))
    left = verb("root admin-drop", _("take an admin out of the root, with all keys"), told, among)
    left.add_argument("admin", metavar="ID", help=_("as in: root show"))
    both = _("The keys of before and the new ones have to sign it.")
    roll = verb("root roll", _("put new keys in place of those of the root or the policy"), both, among)
    roll.add_argument("role", choices=root_desk.ROLES, help=_("what the keys are for"))
    roll.add_argument("card", nargs="+", type=Path, metavar="PUB", help=public)
    many = _("how many of these keys have to sign")
    roll.add_argument("--threshold", type=int, default=1, metavar="N", help=many)
    rule = verb("root rule", _("change what a wipe needs"), told, among)
    rule.add_argument("--one", type=int, metavar="N", help=_("people for a wipe of one device"))
    rule.add_argument("--many", type=int, metavar="N", help=_("people for a wipe of more"))
    rule.add_argument("--most", type=int, metavar="N", help=_("devices that one order may name"))
    waits = _("minutes that a wipe waits before it takes effect, while it can be cancelled")
    rule.add_argument("--delay", type=int, metavar="MINUTES", help=waits)
    draft = _("draw it up in this file, for root keys on another machine to sign")
    for each in (person, key, lost, left, roll, rule):
        each.add_argument("--draft", type=Path, metavar="FILE", help=draft)


def audit(among: Any, verb: Verb) -> None:
    """`audit …`."""
    lines = verb("audit list", _("what was done, by whom and when, the newest first"), "", among)
    lines.add_argument("--limit", type=int, default=50, metavar="N", help=_("so many lines"))
    lines.add_argument("--find", default="", metavar="WORD", help=_("those with this word alone"))
    keep = _("Whoever keeps it away from the server can tell later whether the log was rewritten.")
    proof = verb("audit proof", _("write a signed checkpoint of the audit log"), keep, among)
    proof.add_argument("file", type=Path, metavar="FILE", help=_("the file to write"))
    since = _("prove that it only grew since it had so many entries")
    proof.add_argument("--since", type=int, default=0, metavar="N", help=since)
    away = _("It needs no server and no --data.")
    held = verb("audit verify", _("hold such a checkpoint against the one that you have kept"), away, among)
    held.add_argument("file", type=Path, metavar="FILE", help=_("as “audit proof” wrote it"))
    yours = _("the one that you keep; it is replaced once the new one holds")
    held.add_argument("--kept", type=Path, required=True, metavar="KEPT", help=yours)


def keys(among: Any, verb: Verb) -> None:
    """`keys …`."""
    beside = _("The public half is written beside it; the root has to name it before it counts.")
    new = verb("keys new", _("make a key of your own in the folder of --keys"), beside, among)
    new.add_argument("purpose", choices=card.PURPOSES, help=_("what the key is for"))
    new.add_argument(
        "--label", required=True, metavar="TEXT", help=_("whose it is and which; it stands in the root")
    )
    whose = _(
        "the id of an admin whom the root names; left out, that of the keys in the folder, or a new one"
    )
    new.add_argument("--admin", default="", metavar="ID", help=whose)
    _hardware(
        new,
        _("make it in a security key that is plugged in"),
        _("make a passkey, on a page of this machine"),
    )
    fewer = _("Fewer shares than are needed tell nothing of the key.")
    split = verb("keys split", _("write a key file as shares for several people"), fewer, among)
    split.add_argument("file", type=Path, metavar="FILE", help=_("the key file"))
    split.add_argument(
        "--shares",
        type=int,
        required=True,
        metavar="N",
        help=_("how many, {n} at most").format(n=shares.SHARES_MAX),
    )
    split.add_argument(
        "--need", type=int, required=True, metavar="N", help=_("how many of them bring it back")
    )
    join = verb("keys join", _("bring a key file back from its shares"), "", among)
    join.add_argument(
        "share", nargs="+", type=Path, metavar="SHARE", help=_("a share, as “keys split” wrote it")
    )
    for each in (split, join):
        each.add_argument("--to", type=Path, required=True, metavar="DIR", help=_("the folder to write to"))


def _hardware(to: argparse.ArgumentParser, key: str, page: str) -> None:
    one = to.add_mutually_exclusive_group()
    one.add_argument("--security-key", action="store_true", help=key)
    one.add_argument("--passkey", action="store_true", help=page)
