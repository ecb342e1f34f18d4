"""Laptops that know their server by the address of what lies between."""

from __future__ import annotations

from sync.protocol import codes
from tests.road import Laptop, Town


def through(url: str, code: str) -> str:
    """The same code, with this address in it."""
    read = codes.read(code)
    return codes.write(codes.EnrolCode(url, read.root_digest, read.secret))


def behind(url: str, town: Town, person: str, name: str = "") -> Laptop:
    """A laptop of this person that is enrolled by this address."""
    laptop = town.laptop(name=name)
    laptop.code = through(url, town.code(person))
    laptop.id = laptop.json("enrol", "--name", laptop.name, stdin=laptop.code)["device_id"]
    return laptop
