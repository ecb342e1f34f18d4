"""The card of a device: which organisation, device and person a profile belongs to; nothing on it is secret."""

from __future__ import annotations

import msgspec

from app.errors import NotEnrolled, StoreDamaged
from app.paths import Profile, write_whole
from sync.protocol.messages import Person
from sync.protocol.texts import gettext as _


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Who this device is. Ids are hex."""

    v: int = 1
    org: str
    org_name: str
    device: str
    enrolment: str
    name: str
    server_url: str
    person: Person

    def write(self, profile: Profile) -> None:
        """Keep the card in the profile."""
        write_whole(profile.device, msgspec.json.encode(self))


def refreshed(card: Card, person: Person) -> Card:
    """The card with what the server says of its person now."""
    return msgspec.structs.replace(card, person=person)


def read_card(profile: Profile) -> Card:
    """The card of a profile. Raises NotEnrolled, StoreDamaged."""
    try:
        data = profile.device.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotEnrolled(
            _("This device is not enrolled yet."),
            _("Ask IT for an enrolment code, then run: fieldkeep enrol --name DEVICE"),
        ) from None
    except OSError:
        raise _damaged() from None
    try:
        return msgspec.json.decode(data, type=Card, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _damaged() from None


def _damaged() -> StoreDamaged:
    return StoreDamaged(
        _("The file that names this device is damaged."),
        _("Nothing was changed. Ask IT; unsent work can be recovered."),
    )
