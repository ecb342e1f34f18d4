"""What may stand on the command line of `fieldkeep-admin`; the shape is fixed, since scripts stand on it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from sync.compose import signing_arguments
from sync.protocol.documents import CANCEL, LOCK, UNLOCK, WIPE
from sync.protocol.kinds import KINDS
from sync.protocol.roles import GRANTED
from sync.protocol.texts import gettext as _
from sync.protocol.version import APP_VERSION
from sync.server import access

Run = Callable[..., int]

_WAIT_MAX_S: Final = 7 * 86_400.0


def parser(runs: Mapping[str, Run], offline: Collection[str]) -> argparse.ArgumentParser:
    """The parser of `fieldkeep-admin`; `runs` holds by name what each verb does: "person add", "devices", ….

    Verbs of `offline` need no server.
    """
    common = argparse.ArgumentParser(add_help=False)
    as_json = _("print one JSON document; failures go to standard error alone")
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=as_json)
    top = argparse.ArgumentParser(
        prog="fieldkeep-admin",
        description=_("People, devices and orders of Fieldkeep."),
        epilog=_(
            "Exit codes: 0 done, 1 refused or failed, 2 wrong use, 5 no server where one is needed. More on a command:"
            " fieldkeep-admin --data DIR VERB --help"
        ),
        parents=[common],
    )
    top.add_argument("--version", action="version", version=APP_VERSION)
    data = _("the server's data folder; all but sign and keys need it")
    top.add_argument("--data", type=Path, metavar="DIR", help=data)
    keys = _("folder with your own keys; needed for what is signed or opened with them")
    top.add_argument("--keys", type=Path, metavar="DIR", help=keys)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str, more: str = "", among: Any = verbs) -> argparse.ArgumentParser:
        what = text[:1].upper() + text[1:]
        description = _("{what}. {more}").format(what=what, more=more) if more else what
        made: argparse.ArgumentParser = among.add_parser(
            name.split()[-1], help=text, description=description, parents=[common]
        )
        made.set_defaults(run=runs[name], offline=name in offline)
        return made

    def group(name: str, text: str) -> Any:
        made = verbs.add_parser(name, help=text, parents=[common])
        return made.add_subparsers(dest=f"{name}_verb", required=True, metavar="VERB")

    _people(group("person", _("who has an account")), verb)
    _teams(group("team", _("where teams belong")), verb)
    _territories(group("territory", _("which reps see which territory")), verb)
    _console(group("console", _("who may sign in at the web console")), verb)
    _policies(group("policy", _("what devices must be, and what happens otherwise")), verb)
    code = verb("enrol-code", _("a one-use code for a person's next device"), _("It is good for 24 hours."))
    code.add_argument("email", metavar="EMAIL", help=_("of somebody who has an account"))
    verb("devices", _("every device and how it stands"))
    _holds(verb)
    verb("orders", _("every order and what became of it"))
    _orders(verb)
    signing_arguments.papers(verb)
    signing_arguments.roots(group("root", _("whom the organisation trusts for what")), verb)
    signing_arguments.audit(group("audit", _("what was done, and that nothing of it is hidden")), verb)
    signing_arguments.keys(group("keys", _("keys of your own, made and split")), verb)
    _kept(verb)
    return top


def _people(among: Any, verb: Callable[..., argparse.ArgumentParser]) -> None:
    roles = _(
        "rep: own records and those of the team. office: those of the team. manager: those of the team and of teams"
        " below it. it: no customer data. privacy: every record with names hidden, to look at only."
    )
    new = verb("person add", _("give somebody an account, or change it"), roles, among)
    new.add_argument("email", metavar="EMAIL", help=_("how the person is known, as owner of records too"))
    new.add_argument(
        "--role", required=True, choices=access.ROLES, help=_("what the person sees and may change")
    )
    new.add_argument("--team", required=True, metavar="NAME", help=_("a path: Sales/East is below Sales"))
    where = new.add_mutually_exclusive_group()
    sells = _(
        "a territory where a rep sells, as often as there are: of the team's records, only those of these are seen"
    )
    where.add_argument("--territory", action="append", default=[], metavar="NAME", help=sells)
    where.add_argument("--own", action="store_true", help=_("a rep sees own records alone"))
    whole = _("a rep sees all of the team's records; so does a new one of whom nothing is said")
    where.add_argument("--whole-team", action="store_true", help=whole)
    care = _("hide fields that need more care than this class; left out, it stays as it is")
    new.add_argument("--care", default="", choices=(*GRANTED,), help=care)
    verb("person list", _("everyone with an account"), "", among)
    locks = _(
        "All devices are locked, the account of the console is closed. Unsent work is kept for after a wipe."
    )
    leave = verb(
        "person leave", _("lock the devices of somebody who leaves, and hand the records over"), locks, among
    )
    leave.add_argument("email", metavar="EMAIL", help=_("who leaves"))
    leave.add_argument(
        "--to", default="", metavar="EMAIL", help=_("who gets the records, where there are any")
    )


def _teams(among: Any, verb: Callable[..., argparse.ArgumentParser]) -> None:
    along = _("Everybody in it and below goes along, and their records with them, at once.")
    move = verb("team move", _("give a team another name or place, or merge it into another"), along, among)
    move.add_argument("team", metavar="TEAM", help=_("a path, as it is now"))
    move.add_argument("to", metavar="TO", help=_("a path; a team that is there already takes the people in"))


def _territories(among: Any, verb: Callable[..., argparse.ArgumentParser]) -> None:
    verb("territory list", _("every territory, with its people and customers"), "", among)
    sees = _(
        "A rep sees own records and, of the team's, those of granted territories. Who had none saw the whole team."
    )
    grant = verb("territory grant", _("let a rep see a territory"), sees, among)
    left = _("Without one left, own records alone are seen. The whole team again: person add … --whole-team")
    revoke = verb("territory revoke", _("take a territory from a rep"), left, among)
    for each in (grant, revoke):
        each.add_argument("email", metavar="EMAIL", help=_("of somebody who has an account"))
        each.add_argument("territory", metavar="TERRITORY", help=_("as it stands in the customers' field"))
    along = _("Its customers, what is about them, and the people who have it go along, at once.")
    move = verb("territory move", _("give a territory another name, or merge it into another"), along, among)
    move.add_argument("territory", metavar="TERRITORY", help=_("its name as it is now"))
    move.add_argument(
        "to", metavar="TO", help=_("a name; a territory that is there already takes everything in")
    )


def _console(among: Any, verb: Callable[..., argparse.ArgumentParser]) -> None:
    once = _("It works once, within 24 hours. An account that is there already gets new secrets by it.")
    root = _("Signs the next root document with the root key in the folder of keys.")
    for name, text, more in (
        ("invite", _("an address at which somebody sets up an account of the console"), once),
        ("grant", _("let somebody's registered passkey sign wipes on the console's page"), root),
        ("revoke", _("close somebody's account of the console, and take its passkeys out of the root"), root),
    ):
        each = verb(f"console {name}", text, more, among)
        each.add_argument("email", metavar="EMAIL", help=_("of somebody with the role it or privacy"))
        if name == "grant":
            whose = _("the passkey is not of the admin whose order keys lie in the folder of keys")
            each.add_argument("--another-admin", action="store_true", help=whose)
            told = _("the first digits of the passkey's SHA-256, as the person has read them to you")
            each.add_argument("--key", required=True, metavar="DIGITS", help=told)
    verb("console list", _("who signs in by what, and every passkey for wipes"), "", among)


def _policies(among: Any, verb: Callable[..., argparse.ArgumentParser]) -> None:
    show = verb("policy show", _("the policy in force, in plain words"), "", among)
    show.add_argument("--toml", action="store_true", help=_("as a file to edit"))
    file = _("TOML, or JSON where its name ends in .json; what it leaves out stays as it is")
    told = _("By what each device last told of itself. Nothing is signed.")
    attempt = verb("policy try", _("what a policy would change, and for which devices"), told, among)
    attempt.add_argument("file", type=Path, metavar="FILE", help=file)
    key = _("Devices take it at their next contact. It needs the policy key: --keys DIR")
    publish = verb("policy publish", _("sign a policy and put it in force"), key, among)
    publish.add_argument("file", type=Path, metavar="FILE", help=file)
    locks = _("how many devices it may lock, where it would lock any")
    publish.add_argument("--locks", type=int, metavar="N", help=locks)
    alone = _("It shows all that is signed first, and needs no server.")
    sign = verb("policy sign", _("sign a policy that was drawn up at the console"), alone, among)
    sign.add_argument("file", type=Path, metavar="FILE", help=_("the file that the draft's page gave"))
    keys = _("folder that holds the policy key")
    sign.add_argument("--keys", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=keys)


def _holds(verb: Callable[..., argparse.ArgumentParser]) -> None:
    without = _("By the device's own word of how far it has read; no name and no value is shown.")
    holds = verb("holds", _("which records and care classes a device holds"), without)
    one = holds.add_mutually_exclusive_group(required=True)
    one.add_argument("--device", default="", metavar="DEVICE", help=_("by its name or its id"))
    one.add_argument("--person", default="", metavar="EMAIL", help=_("all devices of that person"))
    holds.add_argument("--kind", default="", choices=(*KINDS,), help=_("of one kind alone"))
    holds.add_argument("--ids", action="store_true", help=_("the ids of the records too"))


def _orders(verb: Callable[..., argparse.ArgumentParser]) -> None:
    device, reason = _("a living device, by its name or its id"), _("why; it is kept with the order")
    obeyed = _("The device obeys at its next contact.")
    for name, text in ((LOCK, _("lock a device")), (UNLOCK, _("unlock a device"))):
        turn = verb(name, text, obeyed)
        turn.add_argument("device", metavar="DEVICE", help=device)
        turn.add_argument("--reason", default="", metavar="TEXT", help=reason)
    wipe = verb(WIPE, _("destroy the keys of devices, for good"), obeyed)
    wipe.add_argument("device", nargs="+", metavar="DEVICE", help=device)
    wipe.add_argument("--reason", required=True, metavar="TEXT", help=reason)
    off = verb(
        CANCEL, _("call a wipe off before its time has come"), _("It is signed with an order key: --keys DIR")
    )
    off.add_argument("device", nargs="+", metavar="DEVICE", help=device)
    off.add_argument("--reason", default="", metavar="TEXT", help=reason)
    later = _("draw it up in this file, for an admin to sign elsewhere")
    off.add_argument("--draft", type=Path, metavar="FILE", help=later)
    wait = _("wait for the verified receipt; without one by then, the exit code is 1 and the order stands")
    what = wipe.add_mutually_exclusive_group()
    draft = _("draw the order up in this file, for others to sign; several devices take two admins")
    what.add_argument("--draft", type=Path, metavar="FILE", help=draft)
    what.add_argument("--wait", type=_seconds, metavar="SECONDS", help=wait)


def _kept(verb: Callable[..., argparse.ArgumentParser]) -> None:
    back = verb("recover", _("give the unsent work of a wiped device to another device"))
    whose = back.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "device", nargs="?", metavar="DEVICE", help=_("the wiped device, by its name or its id")
    )
    sealed = _("a sealed file of a device that this server does not know; may be given more than once")
    whose.add_argument("--file", action="append", default=[], type=Path, metavar="FILE", help=sealed)
    back.add_argument("--to", required=True, metavar="DEVICE", help=_("the device that gets it"))
    back.add_argument("--other-person", action="store_true", help=_("the other device is another person's"))
    judged = _("hand over what the server refused too, to be judged again")
    back.add_argument("--refused", action="store_true", help=judged)
    refused = verb("refused", _("changes that the server did not take and keeps"))
    one = _("those of one device alone, by its name or its id")
    refused.add_argument("device", nargs="?", metavar="DEVICE", help=one)
    values = _("what was written too; opens with the recovery key alone")
    refused.add_argument("--values", action="store_true", help=values)


def _seconds(text: str) -> float:
    """Seconds to wait. Raises ArgumentTypeError, which ends in wrong use before an order is filed."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _WAIT_MAX_S:
        raise argparse.ArgumentTypeError(_("seconds, at most {most}").format(most=int(_WAIT_MAX_S)))
    return seconds
