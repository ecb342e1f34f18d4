"""Which editor a field gets, by the editor that its type names."""

from __future__ import annotations

from collections.abc import Callable

from app.ui.fields.base import FieldEditor
from app.ui.fields.content import ContentEditor
from app.ui.fields.plain import ChoiceEditor, FlagEditor, LineEditor, MoneyEditor, NotesEditor, TagsEditor
from app.ui.fields.ref import RefEditor
from app.ui.fields.several import AddressEditor, SeveralEditor
from app.ui.fields.time import DateEditor, InstantEditor
from app.viewmodels.reading import Proposal
from sync.protocol.fields import Field
from sync.protocol.texts import gettext as _

_SIMPLE: dict[str, Callable[[Field, str], FieldEditor]] = {
    "line": LineEditor,
    "person": LineEditor,
    "number": LineEditor,
    "notes": NotesEditor,
    "choice": ChoiceEditor,
    "flag": FlagEditor,
    "tags": TagsEditor,
    "date": DateEditor,
    "instant": InstantEditor,
    "several": SeveralEditor,
    "address": AddressEditor,
    "content": ContentEditor,
}


def editor_of(
    field: Field, currency: str, propose: Callable[[Field, str, Callable[[list[Proposal]], None]], None],
    title_of: Callable[[bytes], str],
) -> FieldEditor:  # fmt: skip
    """The editor of a field; one whose type this version does not know is a line."""
    name = _(field.label)
    if field.type.editor == "money":
        return MoneyEditor(field, name, currency)
    if field.type.editor == "ref":
        return RefEditor(field, name, lambda text, take: propose(field, text, take), title_of)
    return _SIMPLE.get(field.type.editor, LineEditor)(field, name)
