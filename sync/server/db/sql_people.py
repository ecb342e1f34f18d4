"""Persons, enrolment codes and devices, in SQL that both stores speak."""

# Only lists of our own columns are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from typing import Any

from sync.server.access import Rights, fold_email
from sync.server.db.kept import Code, Device, Person, territories_seen
from sync.server.db.news import News
from sync.server.db.sql import Sql

_PERSON = "id, email, role, team, territory, scopes, granted"
_DEVICE = (
    "enrolment, device, name, keyid, spki, sealing_key, person, platform, enrolled, app_version, last_seen, "
    "unsent, locked, wiped, posture, read_seq, read_scopes, read_care, travelling"
)


class SqlPeople:
    """The book of people on one connection."""

    def __init__(self, sql: Sql, news: News) -> None:
        self._db = sql
        self._news = news
        self._known: dict[tuple[str, object], Person | None] = {}  # each op asks whose its record is

    def person(self, id_: bytes) -> Person | None:
        """The person of that id."""
        return self._person("id", id_)

    def by_email(self, email: str) -> Person | None:
        """The person of that address, however it is written."""
        return self._person("folded", fold_email(email))

    def _person(self, column: str, value: object) -> Person | None:
        if (column, value) not in self._known:
            asked = f"SELECT {_PERSON} FROM person WHERE {column} = ?"
            self._known[column, value] = _person(self._db.execute(asked, (value,)).fetchone())
        return self._known[column, value]

    def persons(self) -> list[Person]:
        """Everyone, by address."""
        rows = self._db.execute(f"SELECT {_PERSON} FROM person ORDER BY folded")
        return [found for row in rows if (found := _person(row))]

    def put_person(self, person: Person) -> None:
        """Keep a person, new or changed; former rights are remembered."""
        self._news.moved.add(person.id)
        self._known.clear()
        self._db.execute(
            "INSERT INTO former_rights (person, scopes, role, team, granted, territory) "
            "SELECT id, scopes, role, team, granted, territory FROM person WHERE id = ? AND scopes <> ?",
            (person.id, person.scopes),
        )
        self._db.execute(
            "INSERT INTO person (id, email, folded, role, team, territory, scopes, granted) VALUES (?,?,?,?,?,?,?,?) "
            "ON CONFLICT (id) DO UPDATE SET email = excluded.email, folded = excluded.folded, "
            "role = excluded.role, team = excluded.team, territory = excluded.territory, scopes = excluded.scopes, "
            "granted = excluded.granted",
            (
                person.id,
                person.email,
                fold_email(person.email),
                person.role,
                person.team,
                person.territory,
                person.scopes,
                person.granted,
            ),
        )

    def former_rights(self, id_: bytes, since: int = 0) -> list[Rights]:
        """The rights this person had before the present ones, from that number of `scopes` on."""
        asked = (
            "SELECT role, team, granted, territory FROM former_rights WHERE person = ? AND scopes >= ? "
            "ORDER BY scopes"
        )
        rows = self._db.execute(asked, (id_, since))
        return [
            Rights(id_, role, team, granted, territories_seen(role, territory))
            for role, team, granted, territory in rows
        ]

    def code(self, digest: bytes) -> Code | None:
        """The enrolment code with this digest."""
        row = self._db.execute(
            "SELECT digest, person, issued, expires, enrolment FROM code WHERE digest = ?", (digest,)
        ).fetchone()
        return row and Code(digest=row[0], person=row[1], issued=row[2], expires=row[3], enrolment=row[4])

    def drop_codes(self, person: bytes) -> None:
        """Forget the codes of this person that nobody has used."""
        self._db.execute("DELETE FROM code WHERE person = ? AND enrolment = ''", (person,))

    def put_code(self, code: Code) -> None:
        """Keep a code, new or used."""
        self._db.execute(
            "INSERT INTO code VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (digest) DO UPDATE SET enrolment = excluded.enrolment",
            (code.digest, code.person, code.issued, code.expires, code.enrolment),
        )

    def device(self, enrolment: str) -> Device | None:
        """The device of that enrolment."""
        return self._one("enrolment", enrolment)

    def device_by_key(self, keyid: str) -> Device | None:
        """The device that signs with this key."""
        return self._one("keyid", keyid)

    def device_by_id(self, device: bytes) -> Device | None:
        """The device of that id."""
        return self._one("device", device)

    def devices(self) -> list[Device]:
        """Every enrolment ever, in order of time."""
        rows = self._db.execute(f"SELECT {_DEVICE} FROM device ORDER BY enrolled, rowid")
        return [_device(row) for row in rows]

    def put_device(self, device: Device) -> None:
        """Keep a device, new or changed."""
        if device.wiped:
            self._news.wiped.add(device.enrolment)
        self._db.execute(
            "INSERT INTO device (enrolment, device, name, keyid, spki, sealing_key, person, platform, enrolled, "
            "app_version, last_seen, unsent, locked, wiped, posture, read_seq, read_scopes, read_care, travelling) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
            "ON CONFLICT (enrolment) DO UPDATE SET name = excluded.name, app_version = excluded.app_version, "
            "last_seen = excluded.last_seen, unsent = excluded.unsent, locked = excluded.locked, "
            "wiped = excluded.wiped, posture = excluded.posture, read_seq = excluded.read_seq, "
            "read_scopes = excluded.read_scopes, read_care = excluded.read_care, "
            "travelling = excluded.travelling",
            (
                device.enrolment,
                device.device,
                device.name,
                device.keyid,
                device.spki,
                device.sealing_key,
                device.person,
                device.platform,
                device.enrolled,
                device.app_version,
                device.last_seen,
                device.unsent,
                device.locked,
                device.wiped,
                device.posture,
                device.read_seq,
                device.read_scopes,
                device.read_care,
                device.travelling,
            ),
        )

    def share(self, enrolment: str, epoch: int = 0) -> bytes | None:
        """The server's copy of the device's share of an epoch."""
        asked = "SELECT share FROM share WHERE enrolment = ? AND epoch = ?"
        row = self._db.execute(asked, (enrolment, epoch)).fetchone()
        return row[0] if row else None

    def shares(self, enrolment: str) -> list[int]:
        """The epochs of which the device's share is held."""
        asked = "SELECT epoch FROM share WHERE enrolment = ? AND share IS NOT NULL ORDER BY epoch"
        return [epoch for (epoch,) in self._db.execute(asked, (enrolment,))]

    def count_shares(self, enrolment: str) -> int:
        """Of how many epochs something is held, sealed copies alone included."""
        asked = "SELECT COUNT(*) FROM share WHERE enrolment = ?"
        return int(self._db.execute(asked, (enrolment,)).fetchone()[0])

    def sealed_share(self, enrolment: str) -> tuple[int, bytes] | None:
        """Epoch and sealed copy of a share that is lost but for that copy."""
        asked = (
            "SELECT epoch, share_sealed FROM share WHERE enrolment = ? AND share IS NULL ORDER BY epoch DESC"
        )
        row = self._db.execute(asked, (enrolment,)).fetchone()
        return (row[0], row[1]) if row else None

    def put_share(self, enrolment: str, share: bytes, sealed: bytes, epoch: int = 0) -> None:
        """Keep the device's share of an epoch, and the copy sealed to the recovery key; b"" where only that is left."""
        self._db.execute(
            "INSERT INTO share (enrolment, epoch, share, share_sealed) VALUES (?,?,?,?) ON CONFLICT (enrolment, epoch) "
            "DO UPDATE SET share = excluded.share, share_sealed = excluded.share_sealed",
            (enrolment, epoch, share or None, sealed),
        )

    def drop_share(self, enrolment: str, but: int = -1) -> None:
        """Forget all copies, but for those of one epoch."""
        self._db.execute("DELETE FROM share WHERE enrolment = ? AND epoch <> ?", (enrolment, but))

    def _one(self, column: str, value: object) -> Device | None:
        row = self._db.execute(f"SELECT {_DEVICE} FROM device WHERE {column} = ?", (value,)).fetchone()
        return _device(row) if row else None


def _person(row: Any) -> Person | None:
    if row is None:
        return None
    return Person(
        id=row[0], email=row[1], role=row[2], team=row[3], territory=row[4], scopes=row[5], granted=row[6]
    )


def _device(row: Any) -> Device:
    return Device(
        enrolment=row[0],
        device=row[1],
        name=row[2],
        keyid=row[3],
        spki=row[4],
        sealing_key=row[5],
        person=row[6],
        platform=row[7],
        enrolled=row[8],
        app_version=row[9],
        last_seen=row[10],
        unsent=row[11],
        locked=bool(row[12]),
        wiped=row[13],
        posture=row[14],
        read_seq=row[15],
        read_scopes=row[16],
        read_care=row[17],
        travelling=bool(row[18]),
    )
