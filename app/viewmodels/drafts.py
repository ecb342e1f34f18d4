"""Forms that are open or still being saved: nothing typed is lost, and what was saved can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.viewmodels.acting import Many
from app.viewmodels.editor import Editor, Saved, Undoable
from sync.protocol.errors import KnownError

UNDO_MAX: Final = 50


class Drafts:
    """The open form, forms on their way to the store, and the saves that can be undone.

    `failed(problem)` is told what could not be saved, `made(editor)` that the open form has made its record.
    """

    def __init__(self, failed: Callable[[KnownError], None], made: Callable[[Editor], None]) -> None:
        self.open: Editor | None = None
        self._failed = failed
        self._made = made
        self._saving: set[Editor] = set()
        self._undoable: list[Undoable | Many] = []

    def take(self, editor: Editor) -> None:
        """Open a form."""
        self.open = editor
        editor.watch(lambda: self._collect(editor))

    def let_go(self, *, save: bool = True) -> None:
        """Close the form; what was typed into it is saved on its way."""
        gone, self.open = self.open, None
        if gone is not None and save and gone.has_unsaved():
            self.save(gone)

    def save(self, editor: Editor) -> None:
        """Save a form that nobody looks at any more."""
        self._saving.add(editor)
        editor.watch(lambda: self._collect(editor))
        editor.save()

    def may_undo(self, act: Undoable | Many) -> None:
        """Remember a save, a deletion, or an act on many records."""
        self._undoable.append(act)
        del self._undoable[:-UNDO_MAX]

    def last(self) -> Undoable | Many | None:
        """What was saved last, taken off the list."""
        return self._undoable.pop() if self._undoable else None

    def can_undo(self) -> bool:
        """Whether there is a save to take back, or something typed that would be one."""
        return bool(self._undoable) or (self.open is not None and self.open.has_unsaved())

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
        self.open = None

    def _all(self) -> set[Editor]:
        return {*self._saving, *([self.open] if self.open is not None else [])}

    def _collect(self, editor: Editor) -> None:
        fresh = bool(editor.undoable)
        for act in editor.undoable:
            self.may_undo(act)
        editor.undoable.clear()
        if editor.problem is not None:
            self._failed(editor.problem)
        if editor.saved in (Saved.HERE, Saved.SENT):
            self._saving.discard(editor)
        if fresh and editor is self.open:
            self._made(editor)
