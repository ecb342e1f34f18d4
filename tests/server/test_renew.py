"""After a year certificate, root and policy are renewed; devices follow without being enrolled again."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from sync.compose import renewing
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Policy
from sync.server.config import Folders
from tests.served import Server
from tests.server.driver import Device, Dial
from tests.server.inside import Inside
from tests.server.running import Org

FOLDERS = ("--data", "--secrets", "--keys")


def renew(org: Org, *, keys: Path | None = None, check: bool = True) -> tuple[int, str]:
    places = (org.data, org.secrets, keys or org.keys)
    words = [word for pair in zip(FOLDERS, map(str, places), strict=True) for word in pair]
    done = org.call("fieldkeep-server", "renew", *words, check=check)
    return done.returncode, done.stdout + done.stderr


def test_a_device_follows_the_next_root_and_policy(inside: Inside, ana: Device) -> None:
    ana.sync()
    inside.store.close()
    made = renewing.renew(inside.folders, ["127.0.0.1"], inside.keys, lambda: "")
    assert (made.root, made.policy) == (2, 2)
    inside.open()
    ana.send, ana.session = inside.send, None
    reply = ana.exchange()
    assert sorted(paper.kind for paper in reply.papers) == ["lease", "policy", "root"]
    assert ana.root is not None
    assert ana.given is not None
    root = trust.next_root(ana.root, reply.paper("root").data, ana.now())
    old = signing.open_envelope(ana.given.policy, Policy.TYPE)
    _policy, floors = trust.policy(ana.root, trust.Floors(), ana.given.policy, ana.now())
    policy, _floors = trust.policy(root, floors, reply.paper("policy").data, ana.now())
    assert (root.version, policy.version, policy.prev_hash) == (2, 2, documents.digest(old.payload))
    assert not ana.exchange(root_version=2, policy_version=2).papers
    later = inside.device(inside.person("bo@example.com"), "bo")
    assert later.root == root
    assert inside.lock(later).op == "lock"


def test_the_renewed_certificate_serves_those_who_knew_the_old_one(org: Org, dial: Dial) -> None:
    before = x509.load_pem_x509_certificate((org.secrets / "tls.crt").read_bytes())
    code, said = renew(org)
    assert (code, "hold until" in said) == (0, True)
    after = x509.load_pem_x509_certificate((org.secrets / "tls.crt").read_bytes())
    assert after.serial_number != before.serial_number
    assert after.not_valid_after_utc >= before.not_valid_after_utc
    server = org.serve()
    line = dial(server.url, (org.keys / "ca.crt").read_text())
    assert line("GET", "/healthz", b"", {}) == (200, b"ok")
    assert server.stop() == 0


def test_a_running_server_is_not_renewed_beneath(org: Org, server: Server) -> None:
    before = (org.secrets / "tls.crt").read_bytes()
    assert renew(org, check=False)[0] == 1
    assert (org.secrets / "tls.crt").read_bytes() == before


def test_keys_of_another_organisation_renew_nothing(org: Org, tmp_path: Path) -> None:
    other = Org(tmp_path / "other", org.scripts)
    other.folder.mkdir()
    other.init()
    before = {path.name: path.read_bytes() for path in org.secrets.iterdir()}
    code, said = renew(org, keys=other.keys, check=False)
    assert (code, "refused" in said) == (1, True)
    assert {path.name: path.read_bytes() for path in org.secrets.iterdir()} == before
    inside_folders = Folders(org.data, org.secrets)
    assert renewing.renew(inside_folders, ["127.0.0.1"], org.keys, lambda: "").root == 2
