"""The command `fieldkeep-server`: makes an organisation, serves it, backs it up, restores it, moves it elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sync.compose import (
    backing,
    compacting,
    console,
    founding,
    hints,
    mail_verb,
    migrating,
    renewing,
    safety,
    serving,
    telling,
)
from sync.console import passphrase
from sync.protocol import texts
from sync.protocol.texts import gettext as _
from sync.protocol.version import APP_VERSION
from sync.server import config, logs


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 refused or failed, 2 wrong use."""
    texts.use(None)
    asked = _parser().parse_args(argv)
    hints.under(asked.data, asked.secrets, getattr(asked, "keys", None))
    verb: Callable[[argparse.Namespace], int] = asked.run
    return telling.to_the_end(lambda: verb(asked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fieldkeep-server", description=_("The server of Fieldkeep."))
    as_json = _("print one JSON document; failures go to standard error alone")
    parser.add_argument("--version", action="version", version=APP_VERSION)
    parser.add_argument("--json", action="store_true", help=as_json)
    verbs = parser.add_subparsers(dest="verb", required=True)
    init = verbs.add_parser("init", help=_("make a new organisation"))
    init.add_argument("--data", type=Path, required=True, help=_("new folder for store and settings"))
    init.add_argument("--secrets", type=Path, required=True, help=_("new folder for the server's own keys"))
    init.add_argument("--keys", type=Path, required=True, help=_("new folder for the keys to keep offline"))
    init.add_argument("--org", required=True, help=_("name of the organisation"))
    init.add_argument("--admin", required=True, help=_("e-mail of the first admin"))
    init.add_argument("--host", default=config.DEFAULT_HOST, help=_("name or address that devices use"))
    init.add_argument("--port", type=int, default=config.DEFAULT_PORT, help=_("port that devices use"))
    init.add_argument("--console-host", default="localhost", help=_("host name of the web console"))
    console_port = _("port of the web console; 0 for none, left out the one behind the devices' port")
    init.add_argument("--console-port", type=int, metavar="N", help=console_port)
    init.add_argument("--store", default="", metavar="URL", help=_("address of a PostgreSQL database"))
    serve = verbs.add_parser("serve", help=_("serve an organisation"))
    data, secrets = _("folder of store and settings"), _("folder of the server's own keys")
    serve.add_argument("--data", type=Path, required=True, help=data)
    serve.add_argument("--secrets", type=Path, required=True, help=secrets)
    serve.add_argument("--host", help=_("address to listen on"))
    serve.add_argument("--port", type=int, help=_("port to listen on; 0 takes a free one"))
    serve.add_argument(
        "--console-port", type=int, metavar="N", help=_("port of the web console; 0 takes a free one")
    )
    renew = verbs.add_parser("renew", help=_("renew certificate, root and policy for another year"))
    renew.add_argument("--data", type=Path, required=True, help=data)
    renew.add_argument("--secrets", type=Path, required=True, help=secrets)
    renew.add_argument("--keys", type=Path, required=True, help=_("folder with the organisation's keys"))
    migrate = verbs.add_parser("migrate", help=_("move everything to another store"))
    migrate.add_argument("--data", type=Path, required=True, help=data)
    migrate.add_argument("--secrets", type=Path, required=True, help=secrets)
    to = _("address of a PostgreSQL database, or “file” for the file in the data folder")
    migrate.add_argument("--to", required=True, metavar="URL", help=to)
    backup = verbs.add_parser("backup", help=_("make a verified, encrypted backup while the server runs"))
    verify = verbs.add_parser("verify", help=_("prove that a backup holds, without restoring it"))
    restore = verbs.add_parser("restore", help=_("put a backup in the place of the store"))
    file = _("a new file; nothing is written over"), _("a file that “backup” made")
    for verb, text in ((backup, file[0]), (verify, file[1]), (restore, file[1])):
        verb.add_argument("file", type=Path, metavar="FILE", help=text)
    over = _("even where the store in place holds what the backup does not; it is put aside")
    restore.add_argument("--replace", action="store_true", help=over)
    compact = verbs.add_parser("compact", help=_("forget now what is old enough, with the server stopped"))
    doctor = verbs.add_parser("doctor", help=_("whether the last backup is recent and the certificate holds"))
    for verb in (backup, verify, restore, doctor, compact, mail := mail_verb.add(verbs)):
        verb.add_argument("--data", type=Path, required=True, help=data)
        verb.add_argument("--secrets", type=Path, required=True, help=secrets)
    runs = {
        init: _init, serve: _serve, renew: _renew, backup: _backup, verify: _verify, restore: _restore,
        migrate: _migrate,
        doctor: safety.doctor,
        compact: _compact,
        mail: mail_verb.run,
    }  # fmt: skip
    for verb, run in runs.items():
        verb.set_defaults(run=run)
        verb.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=as_json)
    return parser


def _init(asked: argparse.Namespace) -> int:
    os.umask(0o077)
    wish = founding.Wish(
        data=asked.data,
        secrets=asked.secrets,
        keys=asked.keys,
        org_name=asked.org.strip(),
        admin=asked.admin,
        host=asked.host,
        port=asked.port,
        console_host=asked.console_host.strip(),
        console_port=(asked.port and asked.port + 1) if asked.console_port is None else asked.console_port,
        store=asked.store,
    )
    made = founding.found(wish, passphrase.fresh())
    if asked.json:
        told = {
            "org": made.org,
            "root_sha256": made.root_digest,
            "offline_keys": list(made.offline),
            "protected": made.protected,
        }
        telling.document(told)
    else:
        telling.say(
            _("The organisation is made. Its root document has the SHA-256 {digest}").format(
                digest=made.root_digest
            )
        )
        telling.say(
            _("KEEP OFFLINE: {folder} ({files})").format(folder=asked.keys, files=", ".join(made.offline))
        )
        telling.say(_("Copy this folder to two places that are not this machine, then remove it from here."))
    if not made.protected:
        telling.aside(
            _(
                "WARNING: the offline keys are NOT protected by a passphrase. Whoever copies the folder can wipe "
                "devices and read unsent work. Name a file with a passphrase in {variable}, or run this on a terminal."
            ).format(variable=passphrase.VARIABLE)
        )
    return 0


def _serve(asked: argparse.Namespace) -> int:
    logs.start()
    folders, settings = config.load(asked.data, asked.secrets)

    def announce(url: str, console: str) -> None:
        if asked.json:
            print(json.dumps({"listening": url, **({"console": console} if console else {})}), flush=True)
        else:
            print(f"listening on {url}" + (f"\nconsole on {console}" if console else ""), flush=True)

    port = settings.port if asked.port is None else asked.port
    console_port = (settings.console_port or None) if asked.console_port is None else asked.console_port
    where = serving.Where(asked.host or settings.host, port, console_port)
    serving.run(folders, settings, where, announce)
    return 0


def _renew(asked: argparse.Namespace) -> int:
    os.umask(0o077)
    folders, settings = config.load(asked.data, asked.secrets)
    made = renewing.renew(
        folders, console.hosts(settings.host, settings.console_host), asked.keys, passphrase.known
    )
    until = dt.datetime.fromtimestamp(made.expires / 1000, dt.UTC).date().isoformat()
    if asked.json:
        telling.document({"root": made.root, "policy": made.policy, "until": until})
    else:
        telling.say(
            _("Certificate, root and policy hold until {day}. Start the server again.").format(day=until)
        )
    return 0


def _migrate(asked: argparse.Namespace) -> int:
    os.umask(0o077)
    folders, settings = config.load(asked.data, asked.secrets)
    counted = migrating.migrate(folders, settings, asked.to)
    if asked.json:
        telling.document({"rows": counted})
    else:
        telling.say(
            _("Everything was moved and compared: {rows} rows. Start the server again.").format(
                rows=sum(counted.values())
            )
        )
        telling.say(_("The old store opens no more. Remove it once you have a backup of the new one."))
    return 0


def _compact(asked: argparse.Namespace) -> int:
    os.umask(0o077)
    folders, settings = config.load(asked.data, asked.secrets)
    with config.alone(folders), contextlib.closing(config.open_store(folders)) as store:
        done = compacting.whole(store, settings.kept_days)
    if asked.json:
        telling.document({"changes": done.changes, "records": done.records, "results": done.results})
    else:
        telling.say(
            _("Forgotten: entries of the log {changes}, contents of deleted records {records}, answers {results}.")
            .format(changes=done.changes, records=done.records, results=done.results)
        )  # fmt: skip
    return 0


def _backup(asked: argparse.Namespace) -> int:
    os.umask(0o077)
    folders, settings = config.load(asked.data, asked.secrets)
    backing.refuse_database(settings)
    made = backing.backup(folders, asked.file)
    if asked.json:
        telling.document({"seq": made.seq, "records": made.records, "bytes": made.size, "told": made.told})
    else:
        telling.say(
            _("The backup is made and verified. Records: {count}, bytes: {size}.").format(
                count=made.records, size=made.size
            )
        )
    if not made.told:
        telling.aside(
            _("The server could not be told of it, so devices keep their own copies until the next backup.")
        )
    return 0


def _verify(asked: argparse.Namespace) -> int:
    folders, _settings = config.load(asked.data, asked.secrets)
    held = backing.verify(folders, asked.file)
    if asked.json:
        telling.document({"seq": held.seq, "rows": held.rows})
    else:
        telling.say(_("All of the backup holds. Records: {count}.").format(count=held.rows.get("record", 0)))
    return 0


def _restore(asked: argparse.Namespace) -> int:
    os.umask(0o077)
    folders, settings = config.load(asked.data, asked.secrets)
    backing.refuse_database(settings)
    done = backing.restore(folders, asked.file, replace=asked.replace)
    if asked.json:
        telling.document({"seq": done.seq, "records": done.records, "former": done.former})
        return 0
    telling.say(_("The backup is in place. Records: {count}.").format(count=done.records))
    if done.former:
        telling.say(_("The former store is kept as “{name}”.").format(name=done.former))
    telling.say(_("Start the server. Devices send again what came after the backup."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
