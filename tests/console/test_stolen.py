"""What a stolen store of the server is worth at the console's door, and the certificate that browsers are shown."""

from __future__ import annotations

import base64
import datetime as dt
import socket
import ssl
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from sync.console.web import proving
from sync.console.web.challenges import read
from sync.server import tls
from tests.console.browser import PASSWORD
from tests.console.visitor import ConsoleInside, Visitor
from tests.server.running import Org

COST = (proving._MEMORY_KIB, proving._ROUNDS, proving._LANES)  # as people pay it, before tests make it quick


def _cells(inside: ConsoleInside) -> list[bytes]:
    """All that lies in the store, as bytes."""
    with inside.store.telling() as whole:
        return [
            cell if isinstance(cell, bytes) else str(cell).encode()
            for table, columns in whole.tables().items()
            for row in whole.rows(table, columns)
            for cell in row
        ]


def test_the_store_alone_opens_no_door(inside: ConsoleInside, admin: Visitor) -> None:
    """Whoever reads it, decrypted, finds nothing with which to sign in."""
    code = inside.office.console_invite("it@example.com").rpartition("/")[2]
    secret = base64.b32decode("".join(admin.letters.split()))
    cookie = admin.cookies["__Host-fieldkeep"]
    account = inside.office.gate.account_by_email("it@example.com")
    assert account is not None
    assert account.totp == secret
    sought: dict[str, Any] = {
        "password": PASSWORD.encode(), "second factor": secret, "its letters": admin.letters.encode(),
        "cookie": cookie.encode(), "cookie's bytes": read(cookie), "invitation": code.encode(),
        "its bytes": read(code), "the word of forms": admin.token.encode(),
    }  # fmt: skip
    cells = _cells(inside)
    assert any(cell.startswith(b"$argon2id$v=19$") for cell in cells)
    assert COST == (64 * 2**10, 3, 1)
    found = [name for name, value in sought.items() if any(value in cell for cell in cells)]
    assert not found


def test_with_another_lease_key_second_factors_are_worth_nothing(
    inside: ConsoleInside, admin: Visitor
) -> None:
    inside.office.gate._key = bytes(32)
    account = inside.office.gate.account_by_email("it@example.com")
    assert account is not None
    assert account.totp == b""
    assert Visitor(inside.desk, letters=admin.letters).sign_in().status == 403


def test_browsers_get_the_certificate_that_they_trust_and_devices_the_organisations(
    tmp_path: Any, scripts: Any
) -> None:
    org = Org(tmp_path, scripts)
    org.init("--console-host", "console.test")
    now = dt.datetime.now(dt.UTC)
    ca_key, key = tls.new_key(), tls.new_key()
    ca = tls.authority(ca_key, "another", now)
    leaf = tls.leaf(ca, ca_key, key.public_key(), ["console.test", "wipe.console.test"], now)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, data in (("console.crt", tls.pem(leaf)), ("console.key", pem)):
        (org.secrets / name).write_bytes(data)
        (org.secrets / name).chmod(0o600)
    server = org.serve(console=True)
    try:
        ours = x509.load_pem_x509_certificate((org.keys / "ca.crt").read_bytes()).subject
        for name, issuer in (
            ("console.test", ca.subject), ("wipe.console.test", ca.subject), ("localhost", ours), ("x.test", ours),
        ):  # fmt: skip
            assert _issuer(server.port, name) == issuer, name
        console_port = int(server.console.rpartition(":")[2])
        assert _issuer(console_port, "console.test") == ca.subject
        assert _issuer(server.port, None) == ours
        # Without one of its own, the server's is for both names.
        names = x509.load_pem_x509_certificate((org.secrets / "tls.crt").read_bytes())
        hosts = names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {"console.test", "wipe.console.test"} <= {*hosts.get_values_for_type(x509.DNSName)}
    finally:
        assert server.stop() == 0


def _issuer(port: int, name: str | None) -> x509.Name:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        data = line.getpeercert(binary_form=True)
    assert data is not None
    return x509.load_der_x509_certificate(data).issuer
