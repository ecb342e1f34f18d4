"""The verbs of `fieldkeep-admin root`: who may sign what. Each draws up the next root, for root keys to sign."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sync.compose import hints, paper_verbs, telling
from sync.console import card, desk, hands, paper_words, passphrase, root_desk, root_words
from sync.console import paper as papers
from sync.console.ports import Office
from sync.protocol import signing
from sync.protocol.documents import Root
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

MINUTE_MS: Final = 60_000


def show(asked: argparse.Namespace, office: Office) -> int:
    """Say whom the organisation trusts for what."""
    root = desk.root_of(office)
    if asked.json:
        telling.document(_as_json(root))
    else:
        for line in root_words.words_of(root):
            telling.say(line)
    return 0


def admin_add(asked: argparse.Namespace, office: Office) -> int:
    """One more admin."""
    return _draw_up(asked, office, root_desk.with_admin(desk.root_of(office), _cards(asked)))


def key_add(asked: argparse.Namespace, office: Office) -> int:
    """One more key of an admin."""
    return _draw_up(asked, office, root_desk.with_keys(desk.root_of(office), _cards(asked)))


def key_drop(asked: argparse.Namespace, office: Office) -> int:
    """A key that was lost signs nothing any more."""
    return _draw_up(asked, office, root_desk.without_key(desk.root_of(office), asked.key))


def admin_drop(asked: argparse.Namespace, office: Office) -> int:
    """An admin who has left signs nothing any more."""
    return _draw_up(asked, office, root_desk.without_admin(desk.root_of(office), asked.admin))


def roll(asked: argparse.Namespace, office: Office) -> int:
    """Other keys for the root or the policy."""
    return _draw_up(
        asked, office, root_desk.rolled(desk.root_of(office), asked.role, _cards(asked), asked.threshold)
    )


def rule(asked: argparse.Namespace, office: Office) -> int:
    """What a wipe needs."""
    given = {
        "threshold": asked.one,
        "threshold_many": asked.many,
        "max_devices": asked.most,
        "delay_ms": None if asked.delay is None else asked.delay * MINUTE_MS,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    if not changed:
        raise KnownError(_("Nothing is to be changed."), _("Say what, as in: --delay 15"))
    return _draw_up(asked, office, root_desk.with_rule(desk.root_of(office), **changed))


def _cards(asked: argparse.Namespace) -> list[card.Card]:
    return [card.read(path) for path in asked.card]


def _draw_up(asked: argparse.Namespace, office: Office, following: Root) -> int:
    """Write the next root into a file, or sign it with the keys at hand and file it. Raises KnownError."""
    before = desk.root_of(office)
    paper = papers.drafted(office.root(), following)
    if not asked.json:
        for line in root_words.changes(before, following):
            telling.say(line)
    if asked.draft is not None:
        papers.write(asked.draft, paper, new=True)
        _tell_draft(asked, paper.digest, asked.draft)
        return 0
    if not asked.keys:
        raise KnownError(
            _("The root is signed with the organisation's root key."),
            _("Name the folder that holds it (--keys DIR), or draw it up for another machine: --draft FILE"),
        )
    for signature in hands.by_key_files(paper, before, asked.keys, passphrase.known):
        paper = paper.with_signature(signature)
    state = paper_words.standing(paper, before)
    if not state.complete:
        raise KnownError(
            _("More root keys have to sign this than lie in the folder."),
            _("Draw it up for them to sign: --draft FILE"),
        )
    office.put_root(paper.envelope.to_bytes(), b"", "")
    paper_verbs.tell_root(asked, following)
    return 0


def _tell_draft(asked: argparse.Namespace, digest: str, path: Path) -> None:
    if asked.json:
        telling.document({"file": str(path), "sha256": digest})
        return
    name = shlex.quote(path.name)
    telling.say(_("Whoever has root keys signs it: fieldkeep-admin --keys DIR sign {file}").format(file=name))
    telling.say(
        hints.filled(_("Then file it: fieldkeep-admin file {file}").format(file=shlex.quote(str(path))))
    )


def _as_json(root: Root) -> dict[str, object]:
    return {
        "version": root.version,
        "org": root.org_name,
        "expires": telling.when(root.expires),
        "roles": {
            name: {"threshold": role.threshold, "keys": [signing.keyid(key.spki) for key in role.keys]}
            for name, role in (("root", root.root), ("policy", root.policy), ("server", root.lease))
        },
        "admins": [
            {
                "id": admin.admin_id,
                "keys": [
                    {"label": each.label, "alg": each.alg, "sha256": signing.keyid(each.spki)}
                    for each in admin.credentials
                ],
            }
            for admin in root.admins
        ],
        "wipe": root.wipe,
    }


VERBS: Final[dict[str, Callable[[argparse.Namespace, Office], int]]] = {
    "root show": show,
    "root admin-add": admin_add,
    "root admin-drop": admin_drop,
    "root key-add": key_add,
    "root key-drop": key_drop,
    "root roll": roll,
    "root rule": rule,
}
