"""What is said of an act on many records: what is asked, what is being done, what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from app.services.exchange.progress import left_words
from app.services.many import Asked, Doing, Exporting, Outcome
from app.store.bulk import Setting
from app.viewmodels import narrow, words
from sync.protocol.fields import Tags
from sync.protocol.joins import sentences
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


def going(asked: Asked) -> str:
    """What is being done."""
    if isinstance(asked, Exporting):
        return _("Exporting")
    if not isinstance(asked, Doing):
        return _("Undoing")
    if asked.setting is None:
        return _("Deleting")
    return _("Setting {field}").format(field=_label(asked.kind, asked.setting))


def progress(what: str, at: int, total: int, seconds: float | None) -> str:
    """How far an act is, and how long it will still take."""
    said = _("{what}: {n} of {total}").format(what=what, n=words.number(at), total=words.number(total))
    return said if seconds is None else f"{said}{words.DOT}{left_words(seconds)}"


def done(asked: Asked, outcome: Outcome) -> str:
    """What was done."""
    count = outcome.changed
    if isinstance(asked, Exporting):
        said = ngettext("{n} record written to the file.", "{n} records written to the file.", count)
        return said.format(n=words.number(count))
    if not isinstance(asked, Doing):
        said = ngettext("Undone for {n} record.", "Undone for {n} records.", count)
        more = ngettext("{n} was changed since and stays.", "{n} were changed since and stay.", outcome.same)
        rest = [more.format(n=words.number(outcome.same))] if outcome.same else []
        return sentences(said.format(n=words.number(count)), *rest, *_left(outcome))
    if asked.setting is None:
        said = ngettext("{n} record deleted.", "{n} records deleted.", count)
    else:
        said = ngettext("{field} set for {n} record.", "{field} set for {n} records.", count)
    label = _label(asked.kind, asked.setting) if asked.setting is not None else ""
    rest = []
    if outcome.same:
        text = ngettext("{n} was so already.", "{n} were so already.", outcome.same)
        rest.append(text.format(n=words.number(outcome.same)))
    return sentences(said.format(n=words.number(count), field=label), *rest, *_left(outcome))


def broken_off(asked: Asked, outcome: Outcome) -> str:
    """That an act was broken off, and how far it had come."""
    text = ngettext(
        "{what} was broken off: {n} of {total} record is done, and stays so.",
        "{what} was broken off: {n} of {total} records are done, and stay so.",
        outcome.at,
    )
    return text.format(
        what=going(asked), n=words.number(outcome.at), total=words.number(max(asked.total, outcome.at))
    )


def question(kind: Kind, setting: Setting | None, count: int, names: Mapping[bytes, str]) -> str:
    """What is asked before an act on very many records."""
    n, kinds = words.number(count), _(kind.plural).lower()
    if setting is None:
        return _("Delete {n} {kinds}?").format(n=n, kinds=kinds)
    field = kind.by_name[setting.field]
    label = _(field.label)
    if setting.value is None:
        return _("Empty {field} of {n} {kinds}?").format(field=label, n=n, kinds=kinds)
    if isinstance(field.type, Tags):
        value = words.value(field, setting.value, lambda id_: names.get(id_, words.DASH))
        return _("Add “{value}” to the tags of {n} {kinds}?").format(value=value, n=n, kinds=kinds)
    value = narrow.value_words(field, setting.value, names)
    return _("Set {field} of {n} {kinds} to “{value}”?").format(field=label, value=value, n=n, kinds=kinds)


def why_left(count: int, why: str) -> str:
    """That some records were left as they are, and why."""
    text = ngettext("{n} was left: {why}", "{n} were left: {why}", count)
    return text.format(n=words.number(count), why=why)


def _left(outcome: Outcome) -> list[str]:
    most = sorted(outcome.left.items(), key=lambda each: -each[1])[:3]
    return [why_left(count, why) for why, count in most]


def _label(kind: Kind, setting: Setting) -> str:
    return _(kind.by_name[setting.field].label)
