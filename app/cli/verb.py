"""What every verb shares: its shape, an unlocked session, reading standard input, saying what was done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.cli import hints, pins, show
from app.errors import AppError
from app.paths import Profile
from app.services.opening import open_session
from app.services.reasons import NotAllowed
from app.services.session import ACTIVE, Session
from sync.protocol import harmless
from sync.protocol.errors import FieldProblem, KnownError
from sync.protocol.fields import Ref
from sync.protocol.joins import sentences
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.uses import EXPORT

STDIN_MAX = 16 * 2**20  # characters

Arguments = argparse.Namespace
Verb = Callable[[Profile, Arguments], int]


def unlocked(profile: Profile) -> Session:
    """An open session whose store may be read; where a PIN opens it, that is asked for. Raises Locked."""
    session = open_session(profile)
    try:
        pins.open_by_pin(session)
    except BaseException:
        session.close()
        raise
    if session.stage != ACTIVE:
        problem = session.locked_error()
        session.close()
        raise problem
    return session


def reading(profile: Profile) -> Session:
    """The same for who prints records: where they go into a file or to another program, that is an export.

    Raises Locked, and NotAllowed where policy bars it.
    """
    session = unlocked(profile)
    if not sys.stdout.isatty():
        try:
            session.ruling.refuse_use(EXPORT)
        except NotAllowed as problem:
            session.close()
            pipe = _("Output into a pipe counts as a file. On the terminal itself you can look at it.")
            raise NotAllowed(problem.title, sentences(pipe, problem.hint)) from None
        except BaseException:
            session.close()
            raise
    return session


def read_text(longest: int) -> str:
    """Standard input to its end. Raises AppError when it is longer, or no text."""
    try:
        text = sys.stdin.read(longest + 1)
    except UnicodeDecodeError:
        raise AppError(_("Standard input is not UTF-8 text."), _("Nothing was changed.")) from None
    if len(text) > longest:
        raise AppError(_("Too much on standard input."), _("For many records: fieldkeep import FILE"))
    return text


def read_json() -> Any:
    """The JSON document on standard input. Raises AppError."""
    text = read_text(STDIN_MAX)
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise AppError(_("Standard input is not JSON."), _("Nothing was changed.")) from None


def done(args: Arguments, document: dict[str, Any], text: str) -> int:
    """Say what was done."""
    if args.json:
        show.emit(document)
    else:
        say(text)
    return 0


def refuse_replacing(file: Path) -> None:
    """Stop before a file that is there already, or a folder, is written over. Raises AppError."""
    if file.is_dir():
        raise AppError(_("{file} is a folder.").format(file=file), _("Name a file in it."))
    if file.exists():
        raise AppError(
            _("There is a file of this name already; it was not replaced."), _("Choose another name.")
        )


def say(text: str) -> None:
    """Lines for a person; what a terminal would obey instead of show is left out."""
    print(harmless.lines(text))


def aside(text: str) -> None:
    """Lines for a person that are no part of what was asked for."""
    print(harmless.lines(text), file=sys.stderr)


def tell_problem(problem: KnownError) -> None:
    """What went wrong and the next step, for a person."""
    title = problem.title
    if isinstance(problem, FieldProblem) and not _names(title, problem.field):
        title = f"{problem.field}: {title}"
    for part in (title, *map(hints.filled, hints.aftermath(problem))):
        if part:
            print(harmless.lines(part), file=sys.stderr)


def _names(title: str, name: str) -> bool:
    """Whether a sentence says already which field it is about."""
    field = next((kind.by_name[name] for kind in KINDS.values() if name in kind.by_name), None)
    words = (name, _(field.label)) if field is not None else (name,)
    if field is not None and isinstance(field.type, Ref):
        # Its label is mostly the word for what it points to: a sentence about that does not name the field.
        return any(title.casefold().startswith(word.casefold()) for word in words)
    return name == "kind" or any(word.casefold() in title.casefold() for word in words)


def _no_number(text: str) -> float:
    raise ValueError(text)
