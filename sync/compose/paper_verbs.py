"""The verbs `fieldkeep-admin sign` and `file`: a paper is signed away from the server, and brought to it."""

from __future__ import annotations

import argparse
import getpass
import shlex
import sys
from collections.abc import Callable
from typing import Final

from sync.compose import hints, orders, telling
from sync.console import hands, paper_words, passphrase
from sync.console import paper as papers
from sync.console.hands import Authenticator
from sync.console.paper import Paper
from sync.console.ports import Office
from sync.protocol.documents import Order, Root
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server.service import system_now


def sign(asked: argparse.Namespace) -> int:
    """Show a paper from its bytes, ask, and sign it. It needs no server."""
    paper = papers.read(asked.file)
    root = papers.root_of(paper)
    shown = paper_words.shown(paper, root, system_now())
    for line in shown.lines:
        telling.aside(line)
    if not asked.keys and not asked.security_key and not asked.passkey:
        raise KnownError(
            _("Say with what you sign."),
            _("A folder with your keys (--keys DIR), --security-key or --passkey."),
        )
    agree(shown.word)
    signed = _signed(asked, paper, root, shown)
    papers.write(asked.file, signed, new=False)
    state = paper_words.standing(signed, root)
    if asked.json:
        telling.document(
            {
                "file": str(asked.file),
                "sha256": paper.digest,
                "signed": state.signed,
                "missing": state.missing,
            }
        )
        return 0
    for line in paper_words.said(state):
        telling.say(line)
    where = hints.filled(_("It can be filed: fieldkeep-admin file {file}"), elsewhere=True)
    telling.say(
        where.format(file=shlex.quote(asked.file.name))
        if state.complete
        else _("Hand the file to the next one.")
    )
    return 0


def file(asked: argparse.Namespace, office: Office) -> int:
    """File a paper that enough people have signed."""
    paper = papers.read(asked.file)
    # Held against the root in force, whatever root the file brings.
    here = Paper(root=office.root(), kind=paper.kind, payload=paper.payload, signatures=paper.signatures)
    root = papers.root_of(here)
    state = paper_words.standing(here, root)
    if not state.complete:
        title, *more = paper_words.said(state)
        raise KnownError(title, " ".join(more))
    data = paper.envelope.to_bytes()
    if paper.kind == Order.TYPE:
        orders.tell_filed(asked, office.file(data))
        return 0
    following = papers.next_root_of(paper)
    office.put_root(data, b"", "")
    tell_root(asked, following)
    return 0


def tell_root(asked: argparse.Namespace, following: Root) -> None:
    """Say that the next root is in force."""
    if asked.json:
        telling.document({"root": following.version})
    else:
        text = _("The root, version {n}, is filed. Devices take it in at their next contact.")
        telling.say(text.format(n=following.version))


def authenticator(asked: argparse.Namespace) -> Authenticator:
    """The security key, or the page for passkeys."""
    # Not at the top: each brings parts that no other command needs.
    if asked.security_key:
        from sync.console.security_key import SecurityKey, plugged_in

        return SecurityKey(plugged_in, lambda: getpass.getpass(_("PIN of the security key: ")))
    from sync.console.local_page import LocalPage

    return LocalPage()


def _signed(asked: argparse.Namespace, paper: Paper, root: Root, shown: paper_words.Shown) -> Paper:
    if asked.security_key or asked.passkey:
        hand = authenticator(asked)
        exact = not asked.security_key
        return paper.with_signature(hands.by_authenticator(paper, root, shown.lines, hand, exact=exact))
    for signature in hands.by_key_files(paper, root, asked.keys, passphrase.known):
        paper = paper.with_signature(signature)
    return paper


def agree(word: str) -> None:
    """Have the word typed. Raises KnownError."""
    print(_("To sign this, type: {word}").format(word=word), file=sys.stderr)
    print("> ", end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline(200)
    if " ".join(typed.split()) != word:
        raise KnownError(_("This is not what was asked for; nothing was signed."))


OFFLINE: Final[dict[str, Callable[[argparse.Namespace], int]]] = {"sign": sign}
VERBS: Final[dict[str, Callable[[argparse.Namespace, Office], int]]] = {"file": file}
