"""One transaction over a connection of whichever database: its books of people, records, papers and blobs."""

from __future__ import annotations

from typing import Final

from sync.protocol.texts import gettext as _
from sync.server.db.news import News
from sync.server.db.sql import Sql
from sync.server.db.sql_blobs import SqlBlobs
from sync.server.db.sql_consoles import SqlConsoles
from sync.server.db.sql_histories import SqlHistories
from sync.server.db.sql_people import SqlPeople
from sync.server.db.sql_post import SqlPost
from sync.server.db.sql_records import SqlRecords
from sync.server.errors import StoreError

EPOCH_BYTES: Final = 16
GIVEN_UP: Final = b""  # the epoch of a store whose records were moved to another one


class Books:
    """A transaction; `locking` is what a writer adds to its first question where writers do not wait by themselves."""

    def __init__(self, sql: Sql, locking: str = "") -> None:
        row = sql.execute(f"SELECT epoch, seq FROM meta{locking}").fetchone()  # noqa: S608 - a word of ours
        self._epoch = bytes(row[0])
        if self._epoch == GIVEN_UP:
            raise StoreError(
                _("The records of this store were moved to another one."),
                _("Start the server on the store that “server.json” names, or move them back."),
            )
        self.news = News()
        self._people = SqlPeople(sql, self.news)
        self._records = SqlRecords(sql, row[1], self.news)
        self._post = SqlPost(sql, self.news)
        self._blobs = SqlBlobs(sql)
        self._histories = SqlHistories(sql)
        self._consoles = SqlConsoles(sql)

    @property
    def epoch(self) -> bytes:
        """The id of this server's history."""
        return self._epoch

    @property
    def people(self) -> SqlPeople:
        """Persons, codes and devices."""
        return self._people

    @property
    def records(self) -> SqlRecords:
        """Records and ops."""
        return self._records

    @property
    def post(self) -> SqlPost:
        """Documents, orders, receipts."""
        return self._post

    @property
    def blobs(self) -> SqlBlobs:
        """Attached files."""
        return self._blobs

    @property
    def histories(self) -> SqlHistories:
        """This history and those before it."""
        self._records.write()  # it reads the log, too
        return self._histories

    @property
    def consoles(self) -> SqlConsoles:
        """The web console."""
        return self._consoles
