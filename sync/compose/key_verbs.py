"""The verbs of `fieldkeep-admin keys`: make a key, split a key file into shares, join them. They need no server."""

from __future__ import annotations

import argparse
import secrets
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.compose import founding, paper_verbs, telling
from sync.console import card, hands, keyfile, passphrase, shares
from sync.console.paper_words import spaced
from sync.protocol import signing
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

_ADMIN_BYTES: Final = 8
_NUMBERS: Final = 99


def new(asked: argparse.Namespace) -> int:
    """Make a key, and beside it the public half that is entered in the root."""
    folder = _folder(asked)
    label = card.checked_label(asked.label)
    hardware = asked.security_key or asked.passkey
    if hardware and asked.purpose != "order":
        raise KnownError(_("A passkey or security key signs orders alone."), _("Make a key file instead."))
    admin_id = _admin_of(folder, asked.admin) if asked.purpose == "order" else ""
    name = _free_name(folder, asked.purpose)
    files = [folder / f"{name}.pub"]
    if hardware:
        made = card.of_made(paper_verbs.authenticator(asked).make(hands.HERE, label), admin_id, label)
    else:
        key = Ed25519PrivateKey.generate()
        data = keyfile.write(asked.purpose, key, admin_id=admin_id, passphrase=passphrase.fresh())
        files.append(folder / f"{name}.key")
        founding.write_new(files[1], data)
        made = card.of_key(asked.purpose, signing.spki_of(key), admin_id, label)
    founding.write_new(files[0], card.to_bytes(made))
    if asked.json:
        telling.document({"files": [str(each) for each in files], "sha256": made.digits, "admin": admin_id})
        return 0
    for each in files:
        telling.say(_("Written: {file}").format(file=each))
    telling.say(_("SHA-256 of the key: {digits}").format(digits=spaced(made.digits)))
    text = _("Give “{file}” to whoever has the root key, and compare these digits by voice.")
    telling.say(text.format(file=files[0].name))
    return 0


def split(asked: argparse.Namespace) -> int:
    """Write a key file as shares."""
    path, to = asked.file, _made(asked.to)
    opened = keyfile.read(path, passphrase.known)
    # In clear within the shares: fewer than are needed tell nothing, and a forgotten passphrase would make all useless.
    data = keyfile.write(opened.purpose, opened.key, admin_id=opened.admin_id)
    made = shares.split(data, opened.purpose, asked.shares, asked.need)
    files = [to / f"{path.stem}-{each.n}-of-{each.of}.share" for each in made]
    for each, share in zip(files, made, strict=True):
        founding.write_new(each, share.to_bytes())
    if shares.join([shares.read(each) for each in files[-asked.need :]]) != data:
        raise KnownError(_("The shares that were written do not open the key."), _("Write them elsewhere."))
    if asked.json:
        telling.document({"files": [str(each) for each in files], "need": asked.need})
        return 0
    for each in files:
        telling.say(_("Written: {file}").format(file=each))
    telling.say(
        _("Any {need} of them bring the key back. Give each to another person, then remove {file}.").format(
            need=asked.need, file=shlex.quote(str(path))
        )
    )
    return 0


def join(asked: argparse.Namespace) -> int:
    """Bring a key file back from its shares."""
    found = [shares.read(path) for path in asked.share]
    to = _made(asked.to)
    target = to / _name_of(asked.share[0], found[0])
    opened = keyfile.opened(shares.join(found), target.name, lambda: "")
    data = keyfile.write(opened.purpose, opened.key, admin_id=opened.admin_id, passphrase=passphrase.fresh())
    founding.write_new(target, data)
    if asked.json:
        telling.document({"file": str(target), "purpose": opened.purpose})
    else:
        telling.say(_("Written: {file}").format(file=target))
        telling.say(_("Remove it when you have signed; the shares stay good."))
    return 0


def _name_of(path: Path, share: shares.Share) -> str:
    """The name that the key file had, where its share still says so."""
    end = f"-{share.n}-of-{share.of}"
    stem = path.stem
    return f"{stem.removesuffix(end)}.key" if stem.endswith(end) else f"{share.purpose}.key"


def _folder(asked: argparse.Namespace) -> Path:
    if not asked.keys:
        raise KnownError(_("A key needs a folder to lie in."), _("Name one of your own: --keys DIR"))
    return _made(Path(asked.keys))


def _made(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KnownError(
            _("The folder “{name}” could not be made.").format(name=path.name), error.strerror or ""
        ) from None
    return path


def _free_name(folder: Path, purpose: str) -> str:
    """A name that no key and no public half has yet; the first root or policy key has no number."""
    names = ([] if purpose == "order" else [purpose]) + [f"{purpose}-{n}" for n in range(1, _NUMBERS)]
    for name in names:
        if not (folder / f"{name}.key").exists() and not (folder / f"{name}.pub").exists():
            return name
    raise KnownError(_("There are too many keys in the folder."), _("Take another one: --keys DIR"))


def _admin_of(folder: Path, wanted: str) -> str:
    """Whose keys lie in the folder; a new admin where there are none. Raises KnownError where they are of several."""
    if wanted:
        return str(wanted)
    found = {card.read(path).admin_id for path in folder.glob("order-*.pub")}
    found |= {keyfile.admin_of(path) for path in folder.glob("order-*.key")}
    found.discard("")
    if len(found) > 1:
        raise KnownError(_("Keys of several people lie in the folder."), _("Give each their own: --keys DIR"))
    return found.pop() if found else secrets.token_hex(_ADMIN_BYTES)


OFFLINE: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "keys new": new,
    "keys split": split,
    "keys join": join,
}
