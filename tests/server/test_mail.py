"""Alarms by mail: a real SMTP server on this machine, by TLS, and nothing personal in what it gets."""

from __future__ import annotations

import datetime as dt
import email
import smtplib
import socket
import ssl
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography.hazmat.primitives import serialization

from sync.server import mailing, tls
from sync.server.config import Mail
from sync.server.errors import SetupError
from tests.forks import wait_until
from tests.server.inside import Inside
from tests.server.running import Org

# The server of the tests does not see that its line is within TLS already.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")

USER, PASSWORD, SENDER = "fieldkeep", "quiet boats", "fieldkeep@example.com"


class Post:
    """A mail server: what it got, and the certificate of its own authority."""

    def __init__(self, folder: Path, *, security: str) -> None:
        self.got: list[tuple[str, EmailMessage]] = []
        self.security = security
        self.folder = folder
        today = dt.datetime.now(dt.UTC)
        ca_key, key = tls.new_key(), tls.new_key()
        ca = tls.authority(ca_key, "00" * 16, today)
        (folder / "ca.pem").write_bytes(tls.pem(ca))
        (folder / "leaf.pem").write_bytes(
            tls.pem(tls.leaf(ca, ca_key, key.public_key(), ["localhost"], today))
        )
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "leaf.pem", folder / "key.pem")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        ways: dict[str, Any] = {
            "tls": {"ssl_context": context, "auth_require_tls": False},
            "starttls": {"tls_context": context, "require_starttls": True},
            "none": {"auth_require_tls": False},
        }
        asked = {"authenticator": self._known, "auth_required": True, **ways[security]}
        self._controller = Controller(self, hostname="localhost", port=self.port, **asked)
        self._controller.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep a mail."""
        found = email.message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.got.append((envelope.rcpt_tos[0], found))
        return "250 OK"

    def _known(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
        fits = isinstance(said, LoginPassword) and (said.login, said.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=fits)

    def mail(self, **other: Any) -> Mail:
        """How a server is told of it."""
        fields = {
            "host": "localhost",
            "port": self.port,
            "security": self.security,
            "user": USER,
            "sender": SENDER,
        }
        return Mail(**{**fields, **other})

    def end(self) -> None:
        """Be away."""
        self._controller.stop()


@pytest.fixture(params=["tls", "starttls", "none"])
def post(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path, security=request.param)
    yield made
    made.end()


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    made = Inside(tmp_path / "org")
    made.office.add_person("ed@example.com", "it", "IT", "")
    yield made
    made.store.close()


def trusting(inside: Inside, post: Post) -> mailing.Smtp:
    inside.folders.mail_authority.write_bytes((post.folder / "ca.pem").read_bytes())
    inside.folders.mail_password.write_text(PASSWORD + "\n")
    return mailing.Smtp(post.mail(), inside.folders)


def test_every_admin_hears_of_a_wipe_once_and_of_nothing_personal(inside: Inside, post: Post) -> None:
    device = inside.device(inside.person("ana.silva@example.com"), "LAPTOP-OF-ANA")
    carrier, mark = trusting(inside, post), inside.folders.mailed
    assert mailing.tell(inside.store, carrier, mark, "https://console") == 0  # nothing of the past
    inside.wipe(device)
    assert mailing.tell(inside.store, carrier, mark, "https://console") == 2
    assert sorted(to for to, _mail in post.got) == ["ed@example.com", "it@example.com"]
    for _to, mail in post.got:
        assert mail["From"] == SENDER
        assert "A wipe was ordered" in mail["Subject"]
        text = mail.get_content()
        assert "https://console/audit" in text
        whole = mail.as_string()
        for word in ("ana", "Ana", "ANA", "lost", device.enrolment, "Sales"):
            assert word not in whole
    assert mailing.tell(inside.store, carrier, mark, "") == 0


def test_a_mail_server_that_is_away_delays_and_loses_nothing(inside: Inside, tmp_path: Path) -> None:
    post = Post(tmp_path, security="tls")
    carrier, mark = trusting(inside, post), inside.folders.mailed
    mailing.tell(inside.store, carrier, mark, "")
    post.end()
    inside.wipe(inside.device(inside.person("ana@example.com")))
    with pytest.raises((OSError, smtplib.SMTPException)):
        mailing.tell(inside.store, carrier, mark, "")
    (tmp_path / "again").mkdir()
    again = Post(tmp_path / "again", security="tls")
    carrier = trusting(inside, again)
    assert mailing.tell(inside.store, carrier, mark, "") == 2
    again.end()


def test_a_stranger_in_the_mail_servers_place_gets_neither_password_nor_mail(
    inside: Inside, tmp_path: Path
) -> None:
    post = Post(tmp_path, security="tls")
    inside.folders.mail_password.write_text(PASSWORD)
    with pytest.raises(ssl.SSLCertVerificationError):
        mailing.Smtp(post.mail(), inside.folders).send("it@example.com", "x", "x")
    assert not post.got
    post.end()


@pytest.mark.parametrize(
    "bent",
    [
        {"host": "mail.example.com", "security": "none"},
        {"security": "maybe"},
        {"port": 0},
        {"sender": "nobody"},
        {"sender": "a@b\nBcc: c@d"},
        {"host": ""},
    ],
    ids=str,
)
def test_mail_in_clear_over_a_network_is_refused(bent: dict[str, Any]) -> None:
    fields = {"host": "localhost", "port": 465, "security": "tls", "sender": SENDER}
    with pytest.raises(SetupError):
        mailing.refuse_unsafe(Mail(**{**fields, **bent}))


def test_a_running_server_tells_by_itself(tmp_path: Path, scripts: Path) -> None:
    (tmp_path / "post").mkdir()
    post = Post(tmp_path / "post", security="tls")
    org = Org(tmp_path, scripts)
    org.init()
    (org.secrets / "mail.crt").write_bytes((tmp_path / "post" / "ca.pem").read_bytes())
    (org.secrets / "mail.password").write_text(PASSWORD)
    for name in ("mail.crt", "mail.password"):
        (org.secrets / name).chmod(0o600)
    folders = ("--data", str(org.data), "--secrets", str(org.secrets))
    words = ("--host", "localhost", "--port", str(post.port), "--user", USER, "--sender", SENDER, "--test")
    told = org.call("fieldkeep-server", "mail", *folders, *words)
    assert "1 mail went." in told.stdout
    assert len(post.got) == 1
    server = org.serve()
    wait_until((org.data / "mailed.json").exists, "the server does not look at its audit table")
    org.admin("root", "rule", "--delay", "1")
    wait_until(lambda: len(post.got) > 1, "no mail came")
    assert "The root was changed" in post.got[-1][1]["Subject"]
    assert server.stop() == 0
    off = org.call("fieldkeep-server", "mail", *folders, "--off")
    assert "Admins get no mail" in off.stdout
    post.end()
