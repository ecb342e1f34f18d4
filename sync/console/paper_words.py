"""What a person reads before signing a paper: every part of it that counts, in words, parsed from its bytes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sync.console import paper as papers
from sync.console import root_desk, root_words
from sync.console.paper import Paper
from sync.protocol import harmless, signing, trust
from sync.protocol.documents import CANCEL, LOCK, UNLOCK, WIPE, Document, Order, Root
from sync.protocol.errors import Refused
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
from sync.protocol.texts import ngettext

_WHAT: Final = {
    WIPE: N_("WIPE: destroys the keys of the devices below, for good."),
    LOCK: N_("LOCK: closes the devices below until they are unlocked."),
    UNLOCK: N_("UNLOCK: opens the devices below again."),
    CANCEL: N_("CANCEL: calls off the wipe of the devices below."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has signed a paper so far, by the labels in the root, and how many more it takes: people for an order, keys
    for a root."""

    signed: tuple[str, ...]
    missing: int

    @property
    def complete(self) -> bool:
        """Whether it can be filed."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper in words, and the word that is typed to sign it."""

    lines: tuple[str, ...]
    word: str


def standing(paper: Paper, root: Root) -> Standing:
    """How far a paper is. Raises Refused."""
    if paper.kind == Order.TYPE:
        order = papers.order_of(paper)
        admins = signing.admin_signers(paper.envelope, root.admins, root.console, root.signer)
        labels = tuple(sorted(_label(root, each) for each in admins))
        return Standing(labels, max(0, trust.needed(root, order) - trust.persons(order, admins)))
    here, there = root.root, papers.next_root_of(paper).root
    old, new = (signing.role_signers(paper.envelope, role.keys) for role in (here, there))
    before, after = max(0, here.threshold - len(old)), max(0, there.threshold - len(new))
    both = {each.spki for each in here.keys} & {each.spki for each in there.keys}
    unused = {signing.keyid(spki) for spki in both} - {each.keyid for each in old}
    names = tuple(sorted(each.keyid[:16] for each in old | new))
    return Standing(names, before + after - min(len(unused), before, after))


def shown(paper: Paper, root: Root, now: int) -> Shown:
    """The paper in words. Raises Refused where no signature could make it good, KnownError for an unsound root."""
    head = _("For {org}; the SHA-256 of its root {n} begins with {digest}.").format(
        org=harmless.line(root.org_name), n=root.version, digest=spaced(papers.root_digest(paper)[:32])
    )
    if paper.kind == Order.TYPE:
        order = papers.order_of(paper)
        _refuse_unseen(paper, order)
        trust.refuse_unfit(root, order, now)
        lines, word = _order(order), f"{order.op} {len(order.devices)}"
    else:
        following = papers.next_root_of(paper)
        if (following.org, following.version) != (root.org, root.version + 1):
            raise Refused("root_number", _("A root document does not follow the one in force."))
        _refuse_unseen(paper, following)
        root_desk.refuse_unsound(following)
        # All of it: what it changes goes by the root in the file, which whoever drew it up may have made up.
        lines = [*root_words.changes(root, following), _("All that it says:")]
        lines += [f"  {each}" for each in root_words.words_of(following)]
        word = f"root {following.version}"
    state = standing(paper, root)
    tail = [_("SHA-256 of what is signed: {digest}").format(digest=spaced(paper.digest)), *said(state)]
    return Shown((head, *lines, *tail), word)


def _refuse_unseen(paper: Paper, found: Document) -> None:
    """Refuse bytes that say more than is shown. Raises Refused."""
    if found.to_bytes() != paper.payload:
        raise Refused(
            "form",
            _("This file holds what this version of Fieldkeep does not know; it is not signed unseen."),
            _("Update Fieldkeep on this machine, and sign it then."),
        )


def said(state: Standing) -> list[str]:
    """How far a paper is, in words."""
    names = ", ".join(harmless.line(each) for each in state.signed)
    lines = [_("Signed by: {names}").format(names=names) if names else _("Nobody has signed it yet.")]
    if state.missing:
        if names:
            text = ngettext(
                "{n} more signature is needed, of somebody else.",
                "{n} more signatures are needed, of different people.",
                state.missing,
            )
        else:
            text = ngettext(
                "{n} signature is needed.",
                "{n} signatures are needed, of different people.",
                state.missing,
            )
        lines.append(text.format(n=state.missing))
    return lines


def spaced(digest: str) -> str:
    """Hex digits in groups of four, as people compare them."""
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def _order(order: Order) -> list[str]:
    rows = [["", _("device"), _("enrolment")]]
    rows += [
        [f"{n}.", harmless.line(each.name), harmless.line(each.enrolment)]
        for n, each in enumerate(order.devices, 1)
    ]
    count = ngettext("{n} device:", "{n} devices:", len(order.devices)).format(n=len(order.devices))
    return [
        _(_WHAT[order.op]),
        count,
        *(f"  {line}" for line in harmless.in_columns(rows)),
        _("Reason: {reason}").format(reason=harmless.line(order.reason) or "–"),
        _("Number {n}, drawn up {at}.").format(n=order.seq, at=_when(order.issued)),
        _("It holds from {begin} until {end}.").format(
            begin=_when(order.not_before), end=_when(order.expires)
        ),
    ]


def _label(root: Root, signer: signing.Signer) -> str:
    for admin in root.admins:
        for credential in admin.credentials:
            if admin.admin_id == signer.who and signing.keyid(credential.spki) == signer.keyid:
                return f"{credential.label or signer.keyid[:16]} ({admin.admin_id[:8]})"
    return signer.who[:16]


def _when(at: int) -> str:
    try:
        return dt.datetime.fromtimestamp(at / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return str(at)
