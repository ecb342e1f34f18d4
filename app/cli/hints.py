"""Commands that a hint names, as they work here: with the profile that was given, so that a person can copy them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

from app.errors import NotEnrolled, Wiped
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

_VERBS: Final = (
    "enrol", "sync", "status", "lock", "unlock", "doctor", "conflicts", "add", "edit", "delete", "undelete", "show",
    "list", "search", "totals", "import", "export", "attach", "attachments", "save-attachment", "duplicates", "pin",
    "keys", "travel",
)  # fmt: skip
_COMMAND: Final = re.compile(rf"(?<![A-Za-z0-9_/-])fieldkeep (?=(?:{'|'.join(_VERBS)})(?![\w-]))")

_given: Path | None = None  # as it was typed; None for the usual place


def under(profile: Path | None) -> None:
    """From here on, commands in hints name this profile."""
    global _given
    _given = profile


def filled(text: str) -> str:
    """A sentence of ours with every `fieldkeep VERB` in it as it has to be typed here. Not for people's own words."""
    if _given is None:
        return text
    option = f"fieldkeep --profile {shlex.quote(str(_given))} "
    return _COMMAND.sub(lambda _found: option, text)


def aftermath(problem: KnownError) -> tuple[str, ...]:
    """What to say below the title: where the command line has looked, the next step, whom to turn to."""
    if isinstance(problem, Wiped):
        return problem.hint, problem.kept, next_after_wipe()
    if isinstance(problem, NotEnrolled):
        return _looked_in(), problem.hint
    return (problem.hint,)


def _looked_in() -> str:
    if _given is None:
        return _("Fieldkeep looked in the usual place. Name another folder before the command: --profile DIR")
    if not _given.exists():
        return _("There is no folder {folder}: check what stands after --profile.").format(folder=_given)
    return _("Fieldkeep looked in the folder {folder}.").format(folder=_given)


def next_after_wipe() -> str:
    """What somebody can do whose device was wiped."""
    return _("Ask your IT what comes next.")
