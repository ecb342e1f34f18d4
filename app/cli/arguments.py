"""What may stand on the command line; the shape is fixed, since scripts stand on it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.version import APP_VERSION


def parser() -> argparse.ArgumentParser:
    """The parser of `fieldkeep`; without a verb the desktop opens."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help=_("print one JSON document")
    )
    top = argparse.ArgumentParser(
        prog="fieldkeep",
        description=_("A customer book for field sales teams. Without a command the window opens."),
    )
    top.add_argument("--version", action="version", version=APP_VERSION)
    top.add_argument("--profile", type=Path, metavar="DIR", help=_("the folder of this device"))
    top.add_argument("--json", action="store_true", default=False, help=_("print one JSON document"))
    verbs = top.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=text, parents=[common])

    enrol = verb("enrol", _("join an organisation; asks for the code, or reads it from standard input"))
    enrol.add_argument("--name", required=True, metavar="DEVICE", help=_("what IT will call this device"))
    verb("sync", _("exchange with the server until nothing is left"))
    verb("status", _("how this device stands"))
    verb("lock", _("close the store and forget its key"))
    verb("unlock", _("open the store again"))
    look = verb("doctor", _("look at everything that must hold here; changes nothing without --repair"))
    look.add_argument("--repair", action="store_true", help=_("make indexes, search and counts anew"))
    waiting = verb("conflicts", _("edits that met, with both values, and changes that were not accepted"))
    settled = waiting.add_mutually_exclusive_group()
    settled.add_argument("--again", metavar="CHANGE", help=_("make a change again that was not accepted"))
    settled.add_argument("--dismiss", metavar="CHANGE", help=_("let a change go that was not accepted"))
    _record_verbs(verb)
    find = verb("search", _("find records of all kinds"))
    find.add_argument("text", metavar="TEXT", help=_("what to find; - reads it from standard input"))
    find.add_argument("--limit", type=_count, default=50, metavar="N")
    bring = verb("import", _("bring in CSV files; everything or nothing"))
    bring.add_argument("files", nargs="+", type=Path, metavar="FILE")
    bring.add_argument("--kind", metavar="KIND", help=_("the kind, where the files do not tell it"))
    bring.add_argument("--dry-run", action="store_true", help=_("only report what would happen"))
    take = verb("export", _("write a kind to a CSV file"))
    take.add_argument("kind", metavar="KIND")
    take.add_argument("file", type=Path, metavar="FILE")
    return top


def _record_verbs(verb: object) -> None:
    assert callable(verb)  # noqa: S101 - typed as the closure above
    kinds = ", ".join(KINDS)
    add = verb("add", _("make a record; - reads JSON from standard input"))
    add.add_argument("kind", metavar="KIND", help=kinds)
    add.add_argument("pairs", nargs="*", metavar="FIELD=VALUE")
    edit = verb("edit", _("change fields of a record; - reads JSON from standard input"))
    edit.add_argument("id", metavar="ID")
    edit.add_argument("pairs", nargs="*", metavar="FIELD=VALUE")
    for name, text in (
        ("delete", _("take a record off all lists")),
        ("undelete", _("bring a deleted record back")),
        ("show", _("show one record")),
    ):
        verb(name, text).add_argument("id", metavar="ID")
    page = verb("list", _("list records of a kind"))
    page.add_argument("kind", metavar="KIND", help=kinds)
    page.add_argument("--where", action="append", default=[], metavar="FIELD=VALUE")
    page.add_argument("--limit", type=_count, default=None, metavar="N")


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(_("a whole number from 1"))
    return int(text)
