"""Making and starting a server: what it writes, what it refuses, how it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sync.protocol import documents, signing, trust
from sync.protocol.documents import Policy, Root
from sync.server import config
from sync.server.db.sqlite import SqliteStore
from tests.served import Server
from tests.server.driver import Device, Dial, Tls, now_ms
from tests.server.running import Org


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(org: Org, type_: str) -> bytes:
    store = SqliteStore.open(org.data / "store.db", config.read_store_key(org.secrets / "store.key"))
    try:
        with store.read() as tx:
            return tx.post.newest(type_)[1]
    finally:
        store.close()


def test_the_folders_are_private_and_each_has_what_belongs_there(org: Org) -> None:
    for folder in (org.data, org.secrets, org.keys):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert {path.name for path in org.data.iterdir()} == {"server.json", "store.db"}
    assert {path.name for path in org.secrets.iterdir()} == {"store.key", "lease.key", "tls.key", "tls.crt"}
    assert {path.name for path in org.keys.iterdir()} == {
        "root.key", "policy.key", "recovery.key", "ca.key", "ca.crt", "order-1.key", "order-2.key",
    }  # fmt: skip


def test_root_and_policy_hold_before_the_rules_of_trust(org: Org) -> None:
    data = stored(org, Root.TYPE)
    digest = documents.digest(signing.open_envelope(data, Root.TYPE).payload)
    root = trust.first_root(data, digest, now_ms())
    (admin,) = root.admins
    assert len(admin.credentials) == 2
    assert (root.wipe.threshold, root.wipe.threshold_many, root.wipe.max_devices) == (1, 2, 25)
    assert (root.wipe.delay_ms, root.wipe.witnesses) == (0, 0)
    assert root.console is not None
    assert root.signer is not None
    assert (root.console.rp_id, root.console.origins) == ("wipe.localhost", ["https://wipe.localhost"])
    assert root.signer.rp_id == "localhost"
    assert [each.rpartition(":")[0] for each in root.signer.origins] == ["http://localhost"] * 4
    assert "it@example.com" not in data.decode()
    policy, _floors = trust.policy(root, trust.Floors(), stored(org, Policy.TYPE), now_ms())
    assert (policy.offline.warn_h, policy.offline.lock_h, policy.offline.wipe_d) == (336, 504, 60)
    assert not policy.pin.required


def test_the_certificate_serves_this_host_alone_and_for_a_year(org: Org) -> None:
    leaf = x509.load_pem_x509_certificate((org.secrets / "tls.crt").read_bytes())
    ca = x509.load_pem_x509_certificate((org.keys / "ca.crt").read_bytes())
    leaf.verify_directly_issued_by(ca)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 397
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "wipe.localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    issuer = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    for each in (leaf, ca):
        named = each.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        assert named == issuer
    assert leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest != issuer


def test_init_again_touches_nothing(org: Org) -> None:
    before = snapshot(org.folder)
    done = org.init(check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was changed" in done.stderr
    assert snapshot(org.folder) == before
    other = Org(org.folder / "other", org.scripts)
    other.folder.mkdir()
    other.keys.mkdir()
    (other.keys / "mine.txt").write_text("mine")
    assert other.init(check=False).returncode == 1
    assert snapshot(other.folder) == {"keys/mine.txt": b"mine"}


@pytest.mark.parametrize(
    ("secrets", "keys"),
    [("data/secrets", "keys"), ("secrets", "data/keys"), ("secrets", "secrets/keys"), ("data", "keys")],
)
def test_keys_and_secrets_never_lie_beside_the_data(
    tmp_path: Path, scripts: Path, secrets: str, keys: str
) -> None:
    org = Org(tmp_path, scripts)
    done = org.call(
        "fieldkeep-server", "init", "--data", str(org.data), "--secrets", str(tmp_path / secrets),
        "--keys", str(tmp_path / keys), "--org", "Example", "--admin", "it@example.com", check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["--org", ""],
        ["--org", "x" * 200],
        ["--port", "70000"],
        ["--admin", "nobody"],
        ["--host", "bad host!"],
    ],
)
def test_init_refuses_what_makes_no_sense(tmp_path: Path, scripts: Path, words: list[str]) -> None:
    assert Org(tmp_path, scripts).init(*words, check=False).returncode == 1
    assert not list(tmp_path.iterdir())


def test_wrong_use_ends_with_2(tmp_path: Path, scripts: Path) -> None:
    org = Org(tmp_path, scripts)
    for words in ([], ["init"], ["serve", "--data"], ["fly"]):
        assert org.call("fieldkeep-server", *words, check=False).returncode == 2


def test_keys_without_a_passphrase_are_said_to_be_open(tmp_path: Path, scripts: Path) -> None:
    done = Org(tmp_path, scripts).init()
    assert "KEEP OFFLINE" in done.stdout
    assert "NOT protected" in done.stderr


def test_keys_with_a_passphrase_need_it(tmp_path: Path, scripts: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery\n")
    env = {"FIELDKEEP_PASSPHRASE_FILE": str(secret)}
    org = Org(tmp_path / "org", scripts)
    org.folder.mkdir()
    done = org.init("--json", env=env)
    told = json.loads(done.stdout)
    assert told["protected"]
    assert "NOT protected" not in done.stderr
    plain = snapshot(org.folder)
    assert not any(b"correct horse" in data for data in plain.values())
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    server = org.serve()
    try:
        line = Tls(server.url, None)
        ana = Device(line, "ana")
        ana.enrol(org.code("ana@example.com"))
        line.close()
        refused = org.admin("wipe", "ana", "--reason", "lost", check=False)
        assert (refused.returncode, "passphrase" in refused.stderr) == (1, True)
        secret.write_text("wrong horse battery\n")
        assert org.admin("wipe", "ana", "--reason", "lost", check=False, env=env).returncode == 1
        assert org.json("orders") == []
        secret.write_text("correct horse battery\n")
        org.admin("wipe", "ana", "--reason", "lost", env=env)
        assert [each["op"] for each in org.json("orders")] == ["wipe"]
    finally:
        assert server.stop() == 0


def test_a_short_passphrase_makes_nothing(tmp_path: Path, scripts: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("short")
    org = Org(tmp_path / "org", scripts)
    org.folder.mkdir()
    done = org.init(check=False, env={"FIELDKEEP_PASSPHRASE_FILE": str(secret)})
    assert done.returncode == 1
    assert not list(org.folder.iterdir())


@pytest.mark.parametrize("name", ["secrets", "secrets/lease.key", "data", "data/store.db"])
def test_folders_that_others_may_read_are_refused(org: Org, name: str) -> None:
    path = org.folder / name
    path.chmod(path.stat().st_mode | 0o040)
    done = org.command(
        "fieldkeep-server", "serve", "--data", str(org.data), "--secrets", str(org.secrets), check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "chmod" in done.stderr


@pytest.mark.parametrize("name", ["store.key", "lease.key", "tls.key", "tls.crt"])
def test_a_damaged_secret_is_told_and_nothing_starts(org: Org, name: str) -> None:
    (org.secrets / name).write_text("rubbish")
    done = org.command(
        "fieldkeep-server", "serve", "--data", str(org.data), "--secrets", str(org.secrets), check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "damaged" in done.stderr


def test_one_store_has_one_server(org: Org, server: Server) -> None:
    done = org.command(
        "fieldkeep-server",
        "serve",
        "--data",
        str(org.data),
        "--secrets",
        str(org.secrets),
        "--port",
        "0",
        check=False,
    )
    assert (done.returncode, "Another process" in done.stderr) == (1, True)
    assert org.json("person", "list")


@pytest.mark.parametrize("words", [("--port", "70000"), ("--port", "-1"), ("--host", "nowhere.invalid")])
def test_what_cannot_be_listened_on_is_told_and_no_other_port_taken(org: Org, words: tuple[str, str]) -> None:
    """65536 and more would be another port: the system takes what is left of it."""
    done = org.command(
        "fieldkeep-server", "serve", "--data", str(org.data), "--secrets", str(org.secrets),
        "=".join(words), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "port" in done.stderr


def test_a_folder_that_cannot_be_made_is_told(org: Org) -> None:
    """Nobody makes folders below a file."""
    words = ["--secrets", str(org.folder / "s2"), "--keys", str(org.folder / "k2"), "--org", "X"]
    data = org.data / "server.json" / "below"
    done = org.call(
        "fieldkeep-server", "init", "--data", str(data), *words, "--admin", "it@example.com", check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "“below” could not be made" in done.stderr


def test_a_taken_port_is_told(org: Org, server: Server, tmp_path: Path) -> None:
    other = Org(tmp_path / "other", org.scripts)
    other.folder.mkdir()
    other.init()
    port = server.url.rpartition(":")[2]
    done = other.command(
        "fieldkeep-server", "serve", "--data", str(other.data), "--secrets", str(other.secrets), "--port", port,
        check=False,
    )  # fmt: skip
    assert (done.returncode, port in done.stderr) == (1, True)


def test_only_tls_1_3_is_spoken(org: Org, server: Server) -> None:
    host, port = server.url.removeprefix("https://").split(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(org.keys / "ca.crt")
    with socket.create_connection((host, int(port)), 10) as line, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(line, server_hostname=host)


def test_the_answer_names_no_software(org: Org, server: Server) -> None:
    host, port = server.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=org.keys / "ca.crt")
    with (
        socket.create_connection((host, int(port)), 10) as line,
        context.wrap_socket(line, server_hostname=host) as talk,
    ):
        talk.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: talk.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"uvicorn" not in answer.lower()


def test_the_command_reaches_a_server_under_a_long_path(tmp_path: Path, scripts: Path) -> None:
    """Addresses of such sockets end at 107 bytes, folders do not."""
    folder = tmp_path / ("a long folder " * 8).strip() / ("and another " * 5).strip()
    folder.mkdir(parents=True)
    org = Org(folder, scripts)
    org.init()
    assert len(str(org.data / "admin.sock")) > 180
    server = org.serve()
    try:
        org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
        assert len(org.json("person", "list")) == 2
        assert (org.data / "admin.sock").stat().st_mode & 0o777 == 0o600
    finally:
        assert server.stop() == 0
    assert "verb=add_person" in server.log.read_text()


def test_a_killed_server_is_started_again_beside_its_old_socket(org: Org) -> None:
    assert org.serve().stop(signal.SIGKILL) == -signal.SIGKILL
    assert (org.data / "admin.sock").exists()
    assert org.json("person", "list")  # no server: the command opens the store itself
    server = org.serve()
    assert org.json("devices") == []
    assert server.stop(signal.SIGINT) == 0


WAITING = """
import sys
from sync.compose import server, serving
run = serving.run

def step(name):
    if name == "applied":
        open({fifo!r}).read()

serving.run = lambda *words: run(*words, step=step)
sys.exit(server.main(["serve", *sys.argv[1:]]))
"""


def test_a_stop_lets_a_running_exchange_end(org: Org, dial: Dial) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    fifo = org.folder / "fifo"
    os.mkfifo(fifo)
    server = org.serve_command(WAITING.format(fifo=str(fifo)))
    ana = Device(dial(server.url, None), "ana")
    ana.enrol(org.code("ana@example.com"))
    ana.add("customer", name="In the last moment")
    thread = threading.Thread(target=ana.exchange)
    thread.start()
    with fifo.open("w"):  # opens once the server stands at its step
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(Exception, match="timed out"):
            server.process.wait(1.0)
    thread.join(20)
    assert not ana.waiting
    assert server.stop() == 0


def test_keys_and_marks_are_nowhere_in_the_servers_files(org: Org, dial: Dial) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Team 51")
    server = org.serve_command()
    ana = Device(dial(server.url, None), "Ana 007")
    ana.enrol(org.code("ana@example.com"))
    ana.add("customer", name="Marker Northwind", notes="王芳 said it")
    ana.sync()
    marks = ["ana@example.com", "Team 51", "Ana 007", "Marker Northwind", "王芳"]
    for data in (*snapshot(org.data).values(), server.log.read_bytes()):
        assert not [mark for mark in marks if mark.encode() in data]
        assert ana.share not in data
    key = (org.secrets / "store.key").read_text().strip()
    proc = Path(f"/proc/{server.process.pid}")
    for part in ("cmdline", "environ"):
        assert key.encode() not in (proc / part).read_bytes()
    assert server.stop() == 0
