"""How the two commands of the server's side print: sentences, tables and JSON, with nothing that a terminal obeys."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sync.compose import hints
from sync.protocol import harmless
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _


def to_the_end(act: Callable[[], int]) -> int:
    """The exit code of a command; what stops it is said in words: 1 for all that we know of."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a terminal that has no Chinese is told so, and goes on
    try:
        code = act()
        sys.stdout.flush()
    except KnownError as error:
        problem(error)
    except KeyboardInterrupt:
        aside(_("Stopped."))
    except BrokenPipeError:
        # The reader of our output has gone; the interpreter must not complain about it at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        return code
    return 1


def say(text: str) -> None:
    """Lines for a person."""
    print(harmless.lines(text))


def aside(text: str) -> None:
    """Lines for a person that are no part of what was asked for."""
    print(harmless.lines(text), file=sys.stderr)


def once(name: str, value: str, *, as_json: bool) -> None:
    """What lets somebody in, one time."""
    if as_json:
        document({name: value})
    else:
        say(value)
        aside(_("It works once, within 24 hours. Give it to the person by a way you trust."))


def problem(error: KnownError) -> None:
    """What went wrong, and the next step on a line of its own."""
    aside("\n".join(part for part in (error.title, hints.filled(error.hint)) if part))


def document(value: Any) -> None:
    """One JSON document."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(harmless.escaped(json.dumps(msgspec.to_builtins(value), ensure_ascii=plain)))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> None:
    """Rows under their heads, each cell on one line; `none` is said where there are no rows."""
    if not rows:
        aside(none)
        return
    for row in harmless.in_columns([heads, *([harmless.line(cell) for cell in row] for row in rows)]):
        print(row)


def when(at: int) -> str | None:
    """UTC milliseconds in ISO form, None for never."""
    if not at:
        return None
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
