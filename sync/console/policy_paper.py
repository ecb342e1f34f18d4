"""A policy as a file that goes from the console's page to the admin's own machine, is signed there and brought back.

It holds the bytes that are signed, and beside them the root and the policy in force, so that the machine can say from
the bytes alone what they change, for whom, and whether its key is one that counts. It needs no server for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from sync.console import keyfile, paper_words, policy_desk, policy_turns, policy_words
from sync.console.policy_turns import Turn
from sync.console.ports import Office
from sync.protocol import documents, harmless, signing, soundness, strict, trust
from sync.protocol.documents import Policy, Root
from sync.protocol.errors import KnownError, Refused
from sync.protocol.signing import Envelope, Signature
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS

TYPE: Final = "fieldkeep-policy"
FILE_MAX: Final = 6 * strict.DOCUMENT_MAX  # three documents, written as text
_SIGNED: Final = "-signed"


class PolicyPaper(msgspec.Struct, frozen=True, kw_only=True):
    """The file: envelopes of root and policy in force, the bytes to be signed, and who has signed them so far."""

    type: str = TYPE
    v: int = 1
    root: bytes
    in_force: bytes
    payload: bytes
    signatures: list[Signature] = []

    @property
    def envelope(self) -> Envelope:
        """The signed document, as devices take it."""
        return Envelope(type=Policy.TYPE, payload=self.payload, signatures=self.signatures)

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return msgspec.json.encode(self, order="sorted") + b"\n"


@dataclass(frozen=True, slots=True)
class Read:
    """A paper that was looked through: what it holds, parsed from its bytes; `known` is whether the policy that it
    calls in force is signed with a key of its root."""

    paper: PolicyPaper
    root: Root
    before: Policy
    after: Policy
    known: bool
    root_digest: str

    @property
    def signed(self) -> int:
        """How many keys of the root's policy role have signed."""
        if not self.paper.signatures:
            return 0
        return len(signing.role_signers(self.paper.envelope, self.root.policy.keys))

    @property
    def missing(self) -> int:
        """How many more keys have to."""
        return max(0, max(1, self.root.policy.threshold) - self.signed)


def drawn_up(office: Office, wanted: Policy, now: int) -> tuple[Policy, bytes]:
    """The next policy as IT wants it, not signed yet, and the file of it. Raises Refused where it must not be."""
    in_force, policy = policy_desk.next_after(office, wanted, now)
    return policy, PolicyPaper(root=office.root(), in_force=in_force, payload=policy.to_bytes()).to_bytes()


def parsed(data: bytes, now: int) -> Read:
    """A file in these bytes, held against itself. Raises KnownError, Refused where no signature could make it good."""
    if len(data) > FILE_MAX:
        raise KnownError(_("The file is too large for a policy."), _choose())
    try:
        paper = msgspec.json.decode(data, type=PolicyPaper, strict=True)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise KnownError(_("This file is no policy from the console."), _choose()) from None
    if paper.type != TYPE or paper.v != 1 or len(paper.signatures) > signing.SIGNATURES_MAX:
        raise KnownError(_("This file is no policy from the console."), _choose())
    root_digest = documents.digest(signing.open_envelope(paper.root, Root.TYPE).payload)
    root = trust.first_root(paper.root, root_digest, now)
    opened = signing.open_envelope(paper.in_force, Policy.TYPE)
    before, after = documents.parse(opened.payload, Policy), documents.parse(paper.payload, Policy)
    if after.to_bytes() != paper.payload:
        # What this program does not know would be signed unseen.
        raise Refused(
            "policy_form",
            _("The policy holds what this version of Fieldkeep does not know; it is not signed unseen."),
            _("Update Fieldkeep on this machine, and sign it then."),
        )
    soundness.refuse_unsound(after)
    _refuse_other(root, before, after, documents.digest(opened.payload), now)
    held = signing.role_signers(opened, root.policy.keys)
    return Read(paper, root, before, after, bool(held), root_digest)


def read(path: Path, now: int) -> Read:
    """The same of a file on this machine."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX + 1)
    except OSError as error:
        raise KnownError(
            _("The file “{name}” cannot be read.").format(name=path.name), error.strerror or ""
        ) from None
    return parsed(data, now)


def shown(found: Read) -> list[str]:
    """All that is signed, in words, with what it loosens first; for a terminal."""
    after, root = found.after, found.root
    head = _("For {org}; the SHA-256 of its root {n} begins with {digest}.").format(
        org=harmless.line(root.org_name),
        n=root.version,
        digest=paper_words.spaced(found.root_digest[:32]),
    )
    lines = [
        head,
        _("Policy {n}, after policy {before}.").format(n=after.version, before=found.before.version),
    ]
    if not found.known:
        lines.append(
            _(
                "The policy it calls in force is not signed with a key of this root: go by the full text below."
            )
        )
    changes = policy_words.changes(found.before, after)
    lines += ["", _("What it changes:") if changes else _("It says what is in force; only its time is new.")]
    lines += [f"  {turned(each)}" for each in by_turn(changes)]
    lines += ["", _("All that it says:"), *(f"  {each}" for each in policy_words.in_words(after))]
    return [
        *lines,
        "",
        _("SHA-256 of what is signed: {digest}").format(digest=paper_words.spaced(digest_of(found))),
    ]


def by_turn(changes: list[policy_words.Change]) -> list[policy_words.Change]:
    """Changes with those that loosen something first."""
    order = (Turn.LOOSER, Turn.OTHER, Turn.STRICTER)
    return sorted(changes, key=lambda each: order.index(each.turn))


def turned(change: policy_words.Change) -> str:
    """A change with its turn before it."""
    return f"[{policy_turns.word(change.turn)}] {change.in_words()}"


def signed(found: Read, keys: Path, passphrase: policy_desk.Passphrase) -> PolicyPaper:
    """The paper with the signature of the policy key in this folder. Raises KnownError."""
    key = keyfile.read(keys / policy_desk.POLICY_KEY, passphrase).signing
    spki = signing.spki_of(key)
    if spki not in {each.spki for each in found.root.policy.keys}:
        raise policy_desk.other_key()
    others = [each for each in found.paper.signatures if each.keyid != signing.keyid(spki)]
    bare = Envelope(type=Policy.TYPE, payload=found.paper.payload, signatures=others)
    return msgspec.structs.replace(found.paper, signatures=signing.cosign(bare, "", key).signatures)


def signed_name(path: Path) -> Path:
    """Where a signed paper is written: beside the one that came, under a name that tells them apart."""
    return path if path.stem.endswith(_SIGNED) else path.with_name(f"{path.stem}{_SIGNED}.json")


def digest_of(found: Read) -> str:
    """The SHA-256 of the bytes that are signed."""
    return documents.digest(found.paper.payload)


def _refuse_other(root: Root, before: Policy, after: Policy, digest: str, now: int) -> None:
    if not after.org == before.org == root.org:
        raise Refused("org", _("A document of another organisation was refused."))
    if after.version <= before.version or after.prev_hash != digest:
        raise Refused(
            "policy_number", _("The policy in this file does not follow the one it calls in force.")
        )
    if after.expires <= now:
        raise Refused("expired", _("The policy in this file has expired."), _("Take the file anew."))
    if after.expires - after.issued > policy_desk.LIFE_DAYS * DAY_MS:
        text = _("The policy in this file lasts longer than {n} days.")
        raise Refused("expired", text.format(n=policy_desk.LIFE_DAYS))


def _choose() -> str:
    return _("Take the one that the draft's page gives.")
