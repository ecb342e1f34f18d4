"""From arguments to exit code: 0 done, 1 refused or failed, 2 wrong use, 3 locked, 4 wiped, 5 offline."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from app.cli import hints
from app.cli.verb import Verb, tell_problem
from app.errors import AppError
from app.paths import Profile
from app.services import opener
from sync.client.errors import NotOurServer, Unreachable
from sync.protocol.errors import KnownError

OFFLINE = 5
PATIENCE_S = 5.0  # for another command to be done with the profile


def run(args: argparse.Namespace, profile: Profile) -> int:
    """Run one command; the exit code."""
    hints.under(args.profile)
    opener.be_patient(PATIENCE_S)
    try:
        code = verb_of(args.verb)(profile, args)
        sys.stdout.flush()
    except KnownError as problem:
        return report(problem)
    except BrokenPipeError:
        # The reader of our output has gone; the interpreter must not complain about it at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def verb_of(name: str) -> Verb:
    """The verb of this name. Its room alone is imported: of a short command's time, imports are nearly all."""
    if name in ("import", "export"):
        from app.cli import transfer

        return {"import": transfer.bring, "export": transfer.take}[name]
    if name == "totals":
        from app.cli import totals

        return totals.tell
    if name in ("enrol", "sync", "lock", "unlock", "pin", "doctor"):
        from app.cli import device_verbs

        return {
            "enrol": device_verbs.enrol,
            "sync": device_verbs.sync,
            "lock": device_verbs.lock,
            "unlock": device_verbs.unlock,
            "pin": device_verbs.pin,
            "doctor": device_verbs.doctor,
        }[name]
    if name == "status":
        from app.cli import status_verb

        return status_verb.status
    if name == "keys":
        from app.cli import key_verbs

        return key_verbs.keys
    if name == "travel":
        from app.cli import travel_verb

        return travel_verb.travel_
    if name == "duplicates":
        from app.cli import duplicate_verbs

        return duplicate_verbs.tell
    if name == "conflicts":
        from app.cli import waiting_verbs

        return waiting_verbs.conflicts
    if name in ("attach", "attachments", "save-attachment"):
        from app.cli import attachment_verbs

        return {
            "attach": attachment_verbs.attach,
            "attachments": attachment_verbs.list_of,
            "save-attachment": attachment_verbs.save,
        }[name]
    from app.cli import record_verbs

    return {
        "add": record_verbs.add,
        "edit": record_verbs.edit,
        "delete": record_verbs.delete,
        "undelete": record_verbs.undelete,
        "show": record_verbs.show_one,
        "list": record_verbs.list_kind,
        "search": record_verbs.find,
    }[name]


def report(problem: KnownError) -> int:
    """Say what happened and what to do; the exit code."""
    tell_problem(problem)
    return exit_code(problem)


def exit_code(problem: KnownError) -> int:
    """The exit code that tells scripts what happened."""
    if isinstance(problem, (Unreachable, NotOurServer)):
        return OFFLINE
    return problem.exit_code if isinstance(problem, AppError) else 1
