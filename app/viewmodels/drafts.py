"""Forms that are open or still being saved: nothing typed is lost, and what was saved can be taken back.

Each window has one place for a form. Two windows that show one record share its form, so they never differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.viewmodels.acting import Many
from app.viewmodels.editor import Editor, Saved, Undoable
from sync.protocol.errors import KnownError

UNDO_MAX: Final = 50


class Drafts:
    """The open forms by place, forms on their way to the store, and the saves that can be undone.

    `failed(problem)` is told what could not be saved, `made(editor)` that an open form has made its record.
    """

    def __init__(self, failed: Callable[[KnownError], None], made: Callable[[Editor], None]) -> None:
        self._open: dict[object, Editor] = {}
        self._failed = failed
        self._made = made
        self._saving: set[Editor] = set()
        self._undoable: list[Undoable | Many] = []

    def of(self, place: object) -> Editor | None:
        """The form that is open in a place."""
        return self._open.get(place)

    def find(self, id_: bytes) -> Editor | None:
        """The form of a record that is open in any place."""
        return next((each for each in self._open.values() if each.id == id_), None)

    def take(self, place: object, editor: Editor) -> None:
        """Open a form in a place."""
        known = editor in self._open.values()
        self._open[place] = editor
        if not known:
            editor.watch(lambda: self._collect(editor))

    def let_go(self, place: object, *, save: bool = True) -> None:
        """Close the form of a place; what was typed into it is saved on its way."""
        gone = self._open.pop(place, None)
        if gone is not None and save and gone.has_unsaved():
            self.save(gone)

    def save(self, editor: Editor) -> None:
        """Save a form that nobody looks at any more."""
        self._saving.add(editor)
        editor.watch(lambda: self._collect(editor))
        editor.save()

    def may_undo(self, act: Undoable | Many) -> None:
        """Remember a save, a deletion, or an act on many records."""
        if isinstance(act, Many):  # one that went on after it was broken off counts as a whole
            self._undoable = [
                each
                for each in self._undoable
                if not (isinstance(each, Many) and each.spans[0][:2] == act.spans[0][:2])
            ]
        self._undoable.append(act)
        del self._undoable[:-UNDO_MAX]

    def last(self, of: bytes | None = None) -> Undoable | Many | None:
        """What was saved last, or last of one record, taken off the list."""
        for at in range(len(self._undoable) - 1, -1, -1):
            act = self._undoable[at]
            if of is None or (isinstance(act, Undoable) and act.id == of):
                return self._undoable.pop(at)
        return None

    def can_undo(self) -> bool:
        """Whether there is a save to take back, or something typed that would be one."""
        return bool(self._undoable) or any(each.has_unsaved() for each in self._open.values())

    def rescue(self) -> None:
        """Save every draft in the caller's thread: the store closes next. From any thread."""
        for each in self._all():
            each.rescue()

    def forget(self) -> None:
        """Hold nothing of any record any more."""
        for each in self._all():
            each.forget()
        self._saving.clear()
        self._undoable.clear()
        self._open.clear()

    def _all(self) -> set[Editor]:
        return {*self._saving, *self._open.values()}

    def _collect(self, editor: Editor) -> None:
        fresh = bool(editor.undoable)
        for act in editor.undoable:
            self.may_undo(act)
        editor.undoable.clear()
        if editor.problem is not None:
            self._failed(editor.problem)
        if editor.saved in (Saved.HERE, Saved.SENT):
            self._saving.discard(editor)
        if fresh and editor in self._open.values():
            self._made(editor)
