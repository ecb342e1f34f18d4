"""What an op may be, before it is laid on anything: its bounds, its form, and what is kept of one beyond them."""

from __future__ import annotations

from typing import Final

import msgspec

from sync.protocol import clock, codec, histories
from sync.protocol.errors import FieldProblem
from sync.protocol.ids import CONFLICT_BYTES, ID_BYTES, INCARNATION_BYTES
from sync.protocol.kinds import KINDS
from sync.protocol.kinds.circle import refuse_itself
from sync.protocol.merge import Row
from sync.protocol.ops import Act, Op
from sync.protocol.strict import too_deep
from sync.protocol.texts import gettext as _

CELLS_MAX: Final = 1_000
_STRANGE_MAX: Final = 40  # characters of a kind that is kept of an op out of all bounds
_HLC_MAX: Final = 2**63 - 1


def checked(op: Op, head: int, now: int) -> Op:
    """The op made exact. Raises FieldProblem."""
    if len(op.id) != ID_BYTES or not 0 <= op.hlc <= _HLC_MAX or op.base < 0 or not _names_hold(op):
        raise FieldProblem("op", _("This change could not be read."))
    if max(len(op.set), len(op.was), len(op.settles)) > CELLS_MAX or too_deep(op.set) or too_deep(op.was):
        raise FieldProblem("op", _("This change is too large."))
    if len(codec.pack(op)) > codec.ROW_MAX:
        raise FieldProblem("op", _("This change is too large."))
    kind = KINDS.get(op.kind)
    set_ = kind.check_cells(op.set) if kind else op.set
    if kind:
        # What its author saw reaches others, in conflicts: it holds what a record may hold.
        kind.check_cells(op.was, before=True)
        refuse_itself(kind, op.id, set_)
    if kind and op.act is Act.ADD:
        for each in kind.fields:
            if each.required and set_.get(each.name) is None:
                raise FieldProblem(each.name, _("{field} is needed.").format(field=_(each.label)))
    hlc, _skewed = clock.clamp(op.hlc, now)
    # A base above the head is from another history or made up: then nothing counts as seen. Nor was a number lost that
    # this history gave, or may give yet.
    lost = 0 < op.ver < head and not histories.same(op.ver, head)
    base = op.base if op.base <= head else 0
    return msgspec.structs.replace(op, set=set_, hlc=hlc, base=base, ver=op.ver if lost else 0)


def _names_hold(op: Op) -> bool:
    """Whether what it names of others has the form of names: origin and conflicts are kept with the record."""
    if op.origin is not None:
        device, incarnation, _n = op.origin
        if (len(device), len(incarnation)) != (ID_BYTES, INCARNATION_BYTES):
            return False
    return all(len(each) == CONFLICT_BYTES for each in op.settles)


def named(op: Op) -> list[bytes]:
    """The conflicts that it names, as far as they are names and no more than an op may name."""
    return [each for each in op.settles if len(each) == CONFLICT_BYTES][:CELLS_MAX]


def too_large(row: Row) -> str | None:
    if len(row.marks) > CELLS_MAX or len(codec.pack(dict(row.cells))) > codec.ROW_MAX:
        return _("This record would become too large.")
    return None


def to_keep(op: Op) -> bytes:
    """A refused op as it is kept: whole where it is no larger than an op may be, else what it sets; of one that nests
    or is large beyond all use, which no device of ours makes, only what it is about.
    """
    if not (too_deep(op.set) or too_deep(op.was)):
        bare = msgspec.structs.replace(op, was={}, settles={}, origin=None)
        for each in (op, bare):
            if len(packed := codec.pack(each)) <= codec.ROW_MAX:
                return packed
    about = Op(n=op.n, kind=op.kind[:_STRANGE_MAX], id=op.id[:ID_BYTES], act=op.act, hlc=op.hlc, base=op.base)
    return codec.pack(about)
