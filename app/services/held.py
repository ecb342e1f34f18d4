"""The documents in force on a device, root and policy, read from its profile and verified anew at every start.

What is in force stays so until another document takes its place: a policy whose signer a later root takes away, or
one that expires, goes on ruling; only the lease locks. A root that was being taken in when the process ended is found
beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.errors import StoreDamaged
from app.keys.state import State
from app.paths import Profile, write_whole
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Policy, Root
from sync.protocol.errors import Refused
from sync.protocol.texts import gettext as _
from sync.protocol.trust import Mark


class Held(msgspec.Struct, frozen=True):
    """The documents in force."""

    root: Root
    policy: Policy


def read_held(profile: Profile, state: State, root_on_file: Mark, now: int) -> tuple[Held, State]:
    """Root and policy from the profile, and the state that names them: a file put back from yesterday is below the
    floor.

    `root_on_file` is the mark of the state file, which the keyring may be a step ahead of. Raises StoreDamaged.
    """
    try:
        root, state = _read_root(profile, state, root_on_file)
        policy, state = read_policy(profile, root, state, now)
    except (OSError, Refused):
        raise StoreDamaged(
            _("The signed documents on this device do not hold."),
            _("Nothing was changed. Connect and run: fieldkeep sync"),
        ) from None
    return Held(root, policy), state


def read_policy(profile: Profile, root: Root, state: State, now: int) -> tuple[Policy, State]:
    """The policy in force, and the state that names it. Raises Refused, OSError."""
    data = profile.policy.read_bytes()
    digest, floor = digest_of(data, Policy.TYPE), state.floors.policy
    if digest == policy_in_force(state):
        # It was verified when it came, under the root of that day, and the guarded state vouches for it since.
        policy = documents.parse(signing.open_envelope(data, Policy.TYPE).payload, Policy)
        if policy.version < floor.number:
            raise Refused("policy_number", _("A document older than the one in force was refused."))
    else:
        policy, _floors = trust.policy(root, state.floors, data, now)
    return policy, msgspec.structs.replace(state, policy_held=digest)


def policy_in_force(state: State) -> str:
    """The digest of the policy in force, as the guarded state names it."""
    return state.policy_held or state.floors.policy.digest


def known_root(envelopes: Iterable[bytes], digest: str) -> tuple[Root, bytes] | None:
    """The root of this digest, and its envelope, if it is among these."""
    for data in envelopes:
        try:
            if digest_of(data, Root.TYPE) == digest:
                return _own_root(data, digest), data
        except Refused:
            continue
    return None


def roots_on_file(profile: Profile) -> list[bytes]:
    """The root envelope in force, and one that was being taken in; as they lie there."""
    found = []
    for path in (profile.root, coming_root(profile)):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return found


def coming_root(profile: Profile) -> Path:
    """Where a new root waits until the guarded state names it."""
    return profile.root.with_name("root.coming.json")


def digest_of(data: bytes, type_: str) -> str:
    """The digest of an envelope's payload. Raises Refused."""
    return documents.digest(signing.open_envelope(data, type_).payload)


def _read_root(profile: Profile, state: State, on_file: Mark) -> tuple[Root, State]:
    """The root that the floor names; it stands beside the old one when a crash came between both writes."""
    wanted = state.floors.root
    if not wanted.digest:
        return _finished_root(profile, state, on_file)
    if (found := known_root(roots_on_file(profile), wanted.digest)) is None:
        raise Refused("root_number", _("A root document does not follow the one in force."))
    root, data = found
    if not profile.root.exists() or profile.root.read_bytes() != data:
        write_whole(profile.root, data)
    return root, state


def _finished_root(profile: Profile, state: State, on_file: Mark) -> tuple[Root, State]:
    """The root of which the keyring has the number and the state file has not heard yet; it waits beside the old."""
    found = known_root(roots_on_file(profile), on_file.digest)
    before = found[0] if found else None
    data = coming_root(profile).read_bytes()
    if before is not None:
        after = trust.next_root(before, data, _issued(data))
        if after.version == state.floors.root.number:
            mark = Mark(after.version, digest_of(data, Root.TYPE))
            floors = trust.floors_after(before, after, state.floors)
            floors = msgspec.structs.replace(floors, root=mark)
            held = policy_in_force(state)
            return after, msgspec.structs.replace(state, floors=floors, policy_held=held)
    raise Refused("root_number", _("A root document does not follow the one in force."))


def _own_root(data: bytes, digest: str) -> Root:
    return trust.first_root(data, digest, _issued(data))


def _issued(data: bytes) -> int:
    """When a root of our own was made: it stays in force when it expires, and only new ones are measured by time."""
    envelope = signing.open_envelope(data, Root.TYPE)
    return documents.parse(envelope.payload, Root).issued
