"""From arguments to exit code: 0 done, 1 refused or failed, 2 wrong use, 3 locked, 4 wiped, 5 offline."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from app.cli import device_verbs, record_verbs, transfer
from app.cli.verb import Verb, tell_problem
from app.errors import AppError
from app.paths import Profile
from sync.client.errors import NotOurServer, Unreachable
from sync.protocol.errors import KnownError

VERBS: dict[str, Verb] = {
    "enrol": device_verbs.enrol,
    "sync": device_verbs.sync,
    "status": device_verbs.status,
    "lock": device_verbs.lock,
    "unlock": device_verbs.unlock,
    "doctor": device_verbs.doctor,
    "conflicts": record_verbs.conflicts,
    "add": record_verbs.add,
    "edit": record_verbs.edit,
    "delete": record_verbs.delete,
    "undelete": record_verbs.undelete,
    "show": record_verbs.show_one,
    "list": record_verbs.list_kind,
    "search": record_verbs.find,
    "import": transfer.bring,
    "export": transfer.take,
}
OFFLINE = 5


def run(args: argparse.Namespace, profile: Profile) -> int:
    """Run one command; the exit code."""
    try:
        code = VERBS[args.verb](profile, args)
        sys.stdout.flush()
    except KnownError as problem:
        return report(problem)
    except BrokenPipeError:
        # The reader of our output has gone; the interpreter must not complain about it at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def report(problem: KnownError) -> int:
    """Say what happened and what to do; the exit code."""
    tell_problem(problem)
    return exit_code(problem)


def exit_code(problem: KnownError) -> int:
    """The exit code that tells scripts what happened."""
    if isinstance(problem, (Unreachable, NotOurServer)):
        return OFFLINE
    return problem.exit_code if isinstance(problem, AppError) else 1
