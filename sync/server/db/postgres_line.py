"""How the PostgreSQL store is reached: an address without a secret, TLS unless it is a socket of this machine, and a
database that is fit for what is acknowledged from it. PostgreSQL's errors become ours here, without their text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection, conninfo, errors
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8Dumper

from sync.protocol.joins import listed
from sync.protocol.texts import gettext as _
from sync.server.errors import SetupError, StoreBusy, StoreError

WAIT_S: Final = 30  # for another writer
SCHEMA: Final = "fieldkeep"
OLDEST: Final = 15
_CONNECT_S: Final = 10
_STATEMENT_S: Final = 60
_ALLOWED: Final = frozenset(
    {"host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile"}
)
_VERIFYING: Final = ("verify-full", "verify-ca")
_HERE: Final = "/var/run/postgresql"
_ALONE: Final = 0x4669656C646B6570  # "Fieldkep": the lock that one server holds on its database

# A session that its server has left is ended after a minute, so that it does not hold the lock for hours. A commit is
# on the disk when it is told, whatever the database's own default is.
_SETTINGS: Final = (
    "SET search_path = fieldkeep; SET timezone = 'UTC'; SET client_min_messages = error; "
    "SET default_transaction_deferrable = off; SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; "
    "SET tcp_keepalives_count = 4; SET lock_timeout = '{wait}s'; SET statement_timeout = '{statement}s'; "
    "SET idle_in_transaction_session_timeout = '{statement}s'; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'"
)
_FITNESS: Final = (
    b"SELECT current_setting('server_version_num')::bigint / 10000, current_setting('server_encoding'), "
    b"current_setting('fsync'), current_setting('full_page_writes'), "
    b"(SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user), "
    b"coalesce(has_schema_privilege(to_regnamespace('fieldkeep'), 'CREATE'), false)"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a PostgreSQL store is; `local` for a socket of this machine."""

    parameters: Mapping[str, str]
    local: bool
    password: Path  # read at each connection; absent where the database asks for none


def address(url: str, password: Path, authority: Path) -> Address:
    """The address in `url`, whose words are never repeated: a secret may stand in it by mistake. Raises SetupError."""
    try:
        found = {
            name: str(value) for name, value in conninfo.conninfo_to_dict(url).items() if value is not None
        }
    except psycopg.Error:
        found = {}
    if not url.startswith(("postgresql://", "postgres://")) or not {"user", "dbname"} <= set(found):
        raise SetupError(
            _("This is not the address of a PostgreSQL database."),
            _("Write it as postgresql://USER@HOST/DATABASE, without a password."),
        )
    if {"password", "sslpassword"} & set(found):
        raise SetupError(
            _("A password in an address stands before everybody's eyes."),
            _("Take it out, and write it into the file “{name}” in the secrets folder.").format(
                name=password.name
            ),
        )
    if strange := set(found) - _ALLOWED:
        raise SetupError(
            _("The address of the database holds what it may not: {names}.").format(
                names=listed(sorted(strange))
            ),
            _("Allowed: {names}").format(names=listed(sorted(_ALLOWED))),
        )
    hosts = (found.get("host") or _HERE).split(",")
    local = all(host.startswith("/") for host in hosts)
    found["host"] = ",".join(hosts)
    if not local:
        if found.setdefault("sslmode", _VERIFYING[0]) not in _VERIFYING:
            raise SetupError(
                _("A database on another machine is reached by verified TLS alone."),
                _("Take “sslmode” out of its address; this is the default."),
            )
        if authority.exists():
            found.setdefault("sslrootcert", str(authority))
    return Address(found, local, password)


def connect(where: Address, *, alone: bool) -> Connection[TupleRow]:
    """A connection to a database that is fit; `alone` holds it against a second server. Raises StoreError."""
    secret = _secret(where.password)
    with foreign_errors(reaching=True):
        connection = psycopg.connect(
            conninfo.make_conninfo(
                **where.parameters,
                **({"password": secret} if secret else {}),
                connect_timeout=_CONNECT_S,
                application_name="fieldkeep",
                gssencmode="disable",
                tcp_user_timeout=WAIT_S * 1000,
                keepalives_idle=20,
            ),
            autocommit=True,
        )
    try:
        with foreign_errors():
            connection.execute(_SETTINGS.format(wait=WAIT_S, statement=_STATEMENT_S).encode())
            connection.adapters.register_dumper(
                int, Int8Dumper
            )  # one size, so that a statement is prepared once
            _refuse_unfit(connection, where)
            if alone:
                _be_alone(connection)
    except BaseException:  # whatever it was, no connection is left behind
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def foreign_errors(*, reaching: bool = False) -> Iterator[None]:
    """PostgreSQL's errors as ours; their text may quote values, so it ends here."""
    try:
        yield
    except (errors.LockNotAvailable, errors.QueryCanceled, errors.TooManyConnections):
        raise busy() from None
    except (errors.DiskFull, errors.OutOfMemory):
        raise StoreError(
            _("The server's disk is full; nothing was changed."), _("Free space and try again.")
        ) from None
    except psycopg.OperationalError as error:
        if reaching:
            raise StoreError(
                _("The database of the server cannot be reached."),
                _("Check that it runs, and its address, password file and certificate. ({error})").format(
                    error=error.sqlstate or type(error).__name__
                ),
            ) from None
        raise StoreError(
            _("The connection to the database broke; what was under way may be kept or not."),
            _("Check before you do it again."),
        ) from None
    except psycopg.Error as error:
        raise StoreError(
            _("The server's store could not be used."), error.sqlstate or type(error).__name__
        ) from None


def busy() -> StoreBusy:
    """Others write for too long."""
    return StoreBusy(_("The server is busy."), _("Try again in a moment."))


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip("\r\n")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise SetupError(_("The file “{name}” cannot be read.").format(name=path.name)) from None


def _refuse_unfit(connection: Connection[TupleRow], where: Address) -> None:
    """Refuse a line that others may read, and a database that loses or mangles what it has taken. Raises SetupError."""
    if bool(connection.info.hostaddr) == where.local or not (where.local or connection.pgconn.ssl_in_use):
        raise SetupError(
            _("A database on another machine is reached by verified TLS alone."),
            _("Take “sslmode” out of its address; this is the default."),
        )
    row = connection.execute(_FITNESS).fetchone()
    version, encoding, fsync, pages, mighty, ready = row or (0,) * 6
    if version < OLDEST or encoding != "UTF8":
        raise SetupError(
            _("This database cannot hold the server's store."),
            _("It needs PostgreSQL {version} or newer and the encoding UTF8.").format(version=OLDEST),
        )
    if (fsync, pages) != ("on", "on"):
        raise SetupError(
            _("This database may lose at a power cut what it has said to keep."),
            _("Set “fsync” and “full_page_writes” to on."),
        )
    if mighty:
        raise SetupError(
            _("The server's user of this database may do too much there."),
            _("Give it a user that owns the schema “{name}” and nothing else: see docs/server.md").format(
                name=SCHEMA
            ),
        )
    if not ready:
        raise SetupError(
            _("This database has no schema “{name}” that the server's user may write to.").format(
                name=SCHEMA
            ),
            _("Make it first: see docs/server.md"),
        )


def _be_alone(connection: Connection[TupleRow]) -> None:
    """Hold the database for as long as this connection lasts. Raises SetupError."""
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (_ALONE,))
    except errors.LockNotAvailable:
        raise SetupError(
            _("Another process has this server's store open."), _("Stop it first; one store has one server.")
        ) from None
