"""Lists and hits on a terminal: a heading, columns in line, and how many there are; a pipe gets rows with tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.cli import show
from app.cli.verb import aside
from app.store.records import Record
from app.store.search import Hit
from sync.protocol import harmless, joins
from sync.protocol.ids import id_text
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _

CELL_MAX: Final = 40  # columns of the terminal


def listed(kind: Kind, records: Sequence[Record], everything: int | None, title_of: show.TitleOf) -> None:
    """Records of one kind, and how many there are in all; None where there are more and nobody has counted them."""
    heads = [_("ID"), *(_(field.label) for field in kind.columns)]
    rows = []
    for record in records:
        cells = (show.in_words(f, record.values.get(f.name), title_of) for f in kind.columns[1:])
        rows.append([id_text(record.id), record.title, *cells])
    table(heads, rows)
    if everything is None:
        aside(_("The first {n}; --limit N shows more.").format(n=f"{len(records):,}"))
    elif len(records) < everything:
        text = _("{n} in all, {shown} shown; --limit N shows more.")
        aside(text.format(n=f"{everything:,}", shown=f"{len(records):,}"))
    elif records:
        aside(_("{n} in all; --limit N shows fewer.").format(n=f"{everything:,}"))


def found(hits: Sequence[Hit], title_of: show.TitleOf, *, more: bool) -> None:
    """Hits of all kinds, each with its kind and the fields in which it was found; `more`: these are not all."""
    rows = []
    for hit in hits:
        record, by_name = hit.record, hit.record.kind.by_name
        where = joins.listed(_(by_name[name].label) for name in hit.fields if name in by_name)
        second = (by_name[name] for name in record.kind.subtitle)
        words = (show.in_words(f, record.values.get(f.name), title_of) for f in second)
        rows.append(
            [id_text(record.id), _(record.kind.label), record.title, where, " · ".join(filter(None, words))]
        )
    table([_("ID"), _("Kind"), _("Name"), _("found in"), _("Details")], rows)
    if more:
        aside(_("The best {n}; --limit N shows more.").format(n=f"{len(hits):,}"))
    elif hits:
        aside(_("{n} in all; --limit N shows fewer.").format(n=f"{len(hits):,}"))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns in line below their heads, or a word where there are no rows."""
    if not rows:
        aside(_("Nothing found."))
        return
    for row in harmless.in_columns([[_cut(harmless.line(cell)) for cell in row] for row in (heads, *rows)]):
        print(row)


def _cut(text: str) -> str:
    """A cell that leaves room for others."""
    if harmless.width(text) <= CELL_MAX:
        return text
    while harmless.width(text) >= CELL_MAX:
        text = text[:-1]
    return text + "…"
