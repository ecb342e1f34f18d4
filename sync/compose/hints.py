"""Commands that a hint names, as they work here: with the folders that were given, so that a person can copy them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

_VERBS: Final = (
    "person", "team", "territory", "holds", "enrol-code", "devices", "orders", "lock", "unlock", "wipe", "recover",
    "refused", "console", "policy", "root", "file", "cancel", "audit",
)  # fmt: skip
_ADMIN: Final = re.compile(rf"(?<![A-Za-z0-9_/-])fieldkeep-admin (?=(?:{'|'.join(_VERBS)})(?![\w-]))")
_SERVER: Final = re.compile(
    r"(?<![A-Za-z0-9_/-])fieldkeep-server (init|serve|renew|migrate|compact|mail)(?![\w-])"
)
_MORE: Final = {
    "init": " --keys {keys} --org NAME --admin EMAIL",
    "renew": " --keys {keys}",
    "migrate": " --to URL",
}
_ANY: Final = "DIR"

_given: dict[str, Path | None] = {}


def under(data: Path | None, secrets: Path | None = None, keys: Path | None = None) -> None:
    """From here on, commands in hints name these folders; DIR stands for one that was not given."""
    _given.update(data=data, secrets=secrets, keys=keys)


def filled(text: str, *, elsewhere: bool = False) -> str:
    """A sentence of ours with every command in it as it has to be typed here. Not for people's own words.

    With `elsewhere`, the command is one for another machine: it stands there whole though no folder was given here.
    """
    data, keys = _folder("data"), _ANY if elsewhere else _folder("keys")
    if data == _ANY and not elsewhere:
        return text
    own = f" --keys {keys}" if keys != _ANY else ""
    text = _ADMIN.sub(lambda _found: f"fieldkeep-admin --data {data}{own} ", text)
    return _SERVER.sub(lambda found: f"fieldkeep-server {found[1]}{_folders(found[1])}", text)


def _folders(verb: str) -> str:
    more = _MORE.get(verb, "").replace("{keys}", _folder("keys"))
    return f" --data {_folder('data')} --secrets {_folder('secrets')}{more}"


def _folder(name: str) -> str:
    path = _given.get(name)
    return _ANY if path is None else shlex.quote(str(path))
