"""What may stand on the command line; the shape is fixed, since scripts stand on it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.version import APP_VERSION

Adding = Callable[..., argparse.ArgumentParser]  # a verb by name, what it does, and more on it


def said(argv: Sequence[str]) -> argparse.Namespace:
    """What `argv` says, without the program's own name. Ends the process, with what is wrong, where it says nothing."""
    # For the window alone no verb is made: it has to be there at once.
    if not argv:
        return argparse.Namespace(verb=None, profile=None)
    if len(argv) == 2 and argv[0] == "--profile" and not argv[1].startswith("-"):
        return argparse.Namespace(verb=None, profile=Path(argv[1]))
    return parser().parse_args(argv)


def parser() -> argparse.ArgumentParser:
    """The parser of `fieldkeep`; without a verb the desktop opens."""
    common = argparse.ArgumentParser(add_help=False)
    as_json = _("print one JSON document; failures go to standard error alone")
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=as_json)
    top = argparse.ArgumentParser(
        prog="fieldkeep",
        description=_("A customer book for field sales teams. Without a command the window opens."),
        epilog=_(
            "Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 locked, 4 wiped, 5 offline. What went wrong and"
            " the next step stand on standard error. More on a command: fieldkeep VERB --help"
        ),
    )
    top.add_argument("--version", action="version", version=APP_VERSION)
    top.add_argument(
        "--profile",
        type=Path,
        metavar="DIR",
        help=_("the folder of this device; without it, the usual place"),
    )
    top.add_argument("--json", action="store_true", default=False, help=as_json)
    verbs = top.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, text: str, more: str = "") -> argparse.ArgumentParser:
        what = text[:1].upper() + text[1:]
        description = _("{what}. {more}").format(what=what, more=more) if more else what
        return verbs.add_parser(name, help=text, description=description, parents=[common])

    enrol = verb("enrol", _("join an organisation; asks for the code, or reads it from standard input"))
    enrol.add_argument("--name", required=True, metavar="DEVICE", help=_("what IT will call this device"))
    _device_verbs(verb)
    _own_verbs(verb)
    _duplicate_verb(verb)
    _record_verbs(verb)
    _attachment_verbs(verb)
    _many_verbs(verb)
    return top


def _device_verbs(verb: Adding) -> None:
    sync = verb("sync", _("exchange with the server until nothing is left"))
    story = _("tell the story of one record: what waits, what was sent, what met; nothing is exchanged")
    sync.add_argument("--explain", metavar="ID", help=story)
    once_more = _(
        "let records go that the server takes away without saying why, if it says so once more of each"
    )
    sync.add_argument("--let-go", action="store_true", help=once_more)
    verb("status", _("how this device stands"))
    verb("lock", _("close the store and forget its key"))
    verb("unlock", _("open the store again"), _("What IT has locked, only IT unlocks."))
    chosen = verb(
        "pin",
        _("choose a PIN or passphrase for the store, or change it"),
        _(
            "Every command that reads the store then asks for it. Without a terminal it stands in the file that"
            " FIELDKEEP_PASSPHRASE_FILE names, and a new one in the file that FIELDKEEP_NEW_PIN_FILE names."
        ),
    )
    other = chosen.add_mutually_exclusive_group()
    other.add_argument(
        "--remove", action="store_true", help=_("open without a PIN again, where IT allows it")
    )
    other.add_argument(
        "--forgotten",
        action="store_true",
        help=_("lock this device until IT unlocks it; then choose a new PIN"),
    )
    look = verb(
        "doctor",
        _("look at everything that must hold here; changes nothing without --repair"),
        _(
            "✓ holds (“ok” with --json). ! is worth knowing, such as a server that is not reached (“warning”): the exit"
            " code stays 0. ✗ is a fault (“fault”): the exit code is 1."
        ),
    )
    look.add_argument("--repair", action="store_true", help=_("make indexes, search and counts anew"))
    waiting = verb(
        "conflicts",
        _("edits that met, with both values, and changes that were not accepted"),
        _("CONFLICT and CHANGE are the names that this list shows in the commands below each of them."),
    )
    settled = waiting.add_mutually_exclusive_group()
    settled.add_argument("--keep", metavar="CONFLICT", help=_("settle a conflict: what stands is right"))
    settled.add_argument("--take", metavar="CONFLICT", help=_("settle a conflict: put the other one there"))
    settled.add_argument("--again", metavar="CHANGE", help=_("make a change again that was not accepted"))
    settled.add_argument("--dismiss", metavar="CHANGE", help=_("let a change go that was not accepted"))


def _own_verbs(verb: Adding) -> None:
    """Verbs on this device's keys and what is on it."""
    keys = verb(
        "keys",
        _("how old this device's keys are; with “rotate”, change them now"),
        _(
            "New keys take the place of the old ones once the server holds its part of them. Nothing else changes."
        ),
    )
    keys.add_argument("act", nargs="?", choices=("rotate",), help=_("change them at this contact"))
    journey = verb(
        "travel",
        _("before a journey, have what is confidential leave this device; “off” brings it back"),
        _(
            "The policy says which fields stay at home. All changes are sent first. Without a word: how it stands."
        ),
    )
    journey.add_argument("act", nargs="?", choices=("on", "off"), help=_("begin or end a journey"))


def _duplicate_verb(verb: Adding) -> None:
    one = verb(
        "duplicates",
        _("records that seem to be about one customer or contact"),
        _(
            "With two ids, both are shown field by field. A, the first one, remains; what refers to B refers to A then."
        ),
    )
    one.add_argument("pair", nargs="*", metavar="ID", help=_("two records to be shown beside one another"))
    act = one.add_mutually_exclusive_group()
    act.add_argument("--join", nargs=2, metavar=("A", "B"), help=_("make them one; B is deleted"))
    act.add_argument(
        "--different", nargs=2, metavar=("A", "B"), help=_("say that they are different, for everybody")
    )
    act.add_argument("--alike", nargs=2, metavar=("A", "B"), help=_("take back that they are different"))
    one.add_argument(
        "--take", action="append", default=[], metavar="FIELD=WHICH",
        help=_("with --join: of this field the value of the first, the second, or both"),
    )  # fmt: skip
    one.add_argument(
        "--limit", type=_count, default=None, metavar="N", help=_("at most so many; all without it")
    )


def _record_verbs(verb: Adding) -> None:
    kinds, one = ", ".join(KINDS), _("the id of a record; list and search show it")
    values = _("such as name=… phone.work=… address.city=…; or - alone, for JSON from standard input")
    empty = _("FIELD= empties a field")
    references = _("A reference is the title or the id of its record.")
    add = verb("add", _("make a record; - reads JSON from standard input"), references)
    add.add_argument("kind", metavar="KIND", help=kinds)
    add.add_argument("pairs", nargs="*", metavar="FIELD=VALUE", help=values)
    edit = verb("edit", _("change fields of a record; - reads JSON from standard input"), references)
    edit.add_argument("id", metavar="ID", help=one)
    edit.add_argument("pairs", nargs="*", metavar="FIELD=VALUE", help=f"{values}; {empty}")
    for name, text in (
        ("delete", _("take a record off all lists")),
        ("undelete", _("bring a deleted record back")),
        ("show", _("show one record")),
    ):
        verb(name, text).add_argument("id", metavar="ID", help=one)
    page = verb("list", _("list records of a kind"))
    page.add_argument("kind", metavar="KIND", help=kinds)
    where = _(
        "only records with this value, or with none for FIELD=, or with these words for FIELD~WORDS; given twice, both"
        " must hold"
    )
    page.add_argument("--where", action="append", default=[], metavar="FIELD=VALUE", help=where)
    page.add_argument(
        "--deleted", action="store_true", help=_("deleted ones instead, for undelete to bring back")
    )
    page.add_argument(
        "--limit", type=_count, default=None, metavar="N", help=_("at most so many; all without it")
    )


def _attachment_verbs(verb: Adding) -> None:
    attach = verb(
        "attach",
        _("attach a file to a record"),
        _("It is kept here at once and goes up with the next exchange: fieldkeep sync"),
    )
    attach.add_argument("id", metavar="ID", help=_("the id of a record; list and search show it"))
    attach.add_argument("file", type=Path, metavar="FILE", help=_("the file; it stays where it is"))
    listed = verb("attachments", _("list what is attached to a record"))
    listed.add_argument("id", metavar="ID", help=_("the id of a record; list and search show it"))
    save = verb(
        "save-attachment",
        _("write an attachment to a file; fetches it where it is not here yet"),
        _("Only you may read the file."),
    )
    save.add_argument("id", metavar="ID", help=_("the id of an attachment; “attachments” shows it"))
    save.add_argument(
        "file", type=Path, metavar="FILE", help=_("a new file; one that is there is not replaced")
    )


def _many_verbs(verb: Adding) -> None:
    find = verb("search", _("find records of all kinds"))
    find.add_argument("text", metavar="TEXT", help=_("what to find; - reads it from standard input"))
    find.add_argument(
        "--limit", type=_count, default=50, metavar="N", help=_("at most so many; 50 without it")
    )
    told = verb(
        "totals",
        _("how many records of a kind there are, and what they come to"),
        _("Money of each currency stands apart; a day counts for its month. No record is read for it."),
    )
    told.add_argument(
        "kind", metavar="KIND", help=", ".join(name for name, kind in KINDS.items() if kind.totals)
    )
    told.add_argument(
        "--by", action="append", default=[], metavar="FIELD", help=_("by this field; given twice, by both")
    )
    bring = verb(
        "import",
        _("bring in CSV files and .xlsx workbooks; everything or nothing"),
        _(
            "Give all files of a set at once, or their folder: records that refer to each other find each other."
        ),
    )
    bring.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=_("a CSV file or an .xlsx workbook, or a folder of them"),
    )
    bring.add_argument("--kind", metavar="KIND", help=_("the kind, where the files do not tell it"))
    bring.add_argument(
        "--sheet", action="append", default=[], metavar="NAME",
        help=_("this sheet of workbooks alone, a hidden one too; given twice, both"),
    )  # fmt: skip
    bring.add_argument(
        "--headings", action=argparse.BooleanOptionalAction, default=None,
        help=_("the first row is one of headings, or is none; without it, the content tells"),
    )  # fmt: skip
    bring.add_argument("--dry-run", action="store_true", help=_("only report what would happen"))
    take = verb("export", _("write a kind to a CSV file"), _("Only you may read the file."))
    take.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    take.add_argument(
        "file", type=Path, metavar="FILE", help=_("a new file; one that is there is not replaced")
    )


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(_("a whole number from 1"))
    return int(text)
