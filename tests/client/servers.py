"""Real TLS servers on loopback that behave as they are told, and the certificates they show."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Talk:
    """One connection: what was asked, and the way to answer. `over` is set when the server is to end."""

    asked: Asked
    send: Callable[[bytes], None]
    over: threading.Event


Behaviour = Callable[[Talk], None]


class Authority:
    """A certificate authority of its own, as `init` makes one, or as an attacker does."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        public = self._key.public_key()
        made = (
            self._begun(self._name, public, expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def context(self, folder: Path, *, host: str = "127.0.0.1", expired: bool = False) -> ssl.SSLContext:
        """A server's TLS context with a certificate for this host."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test server")])
        shown: x509.GeneralName = x509.DNSName(host)
        if host[0].isdigit():
            shown = x509.IPAddress(ipaddress.ip_address(host))
        return self._loaded(folder, key, self._leaf(name, public, shown, expired))

    def _leaf(
        self, name: x509.Name, public: ec.EllipticCurvePublicKey, host: x509.GeneralName, expired: bool
    ) -> x509.Certificate:
        return (
            self._begun(name, public, expired=expired)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.SubjectAlternativeName([host]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _begun(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, *, expired: bool
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now - DAY if expired else now + DAY)
            .add_extension(issuer, critical=False)
        )

    def _loaded(
        self, folder: Path, key: ec.EllipticCurvePrivateKey, leaf: x509.Certificate
    ) -> ssl.SSLContext:
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / f"{leaf.serial_number:x}.pem"
        file.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(file)
        return context


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def answer(
    body: bytes, *, status: str = "200 OK", media: str = "application/octet-stream", extra: str = ""
) -> bytes:
    """A plain HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def always(data: bytes) -> Behaviour:
    """Send these bytes, whatever is asked."""
    return lambda talk: talk.send(data)


@dataclass
class Server:
    """A server under way: its address, and everything it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(behaviour: Behaviour, context: ssl.SSLContext | None) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1; without a context it speaks in clear, as a proxy does."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if context else "http"
    server, over = Server(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"), threading.Event()
    open_now: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the test is over
            while True:
                raw, _address = listener.accept()
                open_now.append(raw)
                threading.Thread(target=serve, args=(raw,), daemon=True).start()

    def serve(raw: socket.socket) -> None:
        server.connections.append("came")
        with contextlib.suppress(OSError):  # the client went away, or refused our certificate
            line = context.wrap_socket(raw, server_side=True) if context else raw
            with line:
                while (asked := _read(line)) is not None:
                    server.asked.append(asked)
                    behaviour(Talk(asked, line.sendall, over))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for raw in open_now:
            with contextlib.suppress(OSError):  # gone already
                raw.shutdown(socket.SHUT_RDWR)
            raw.close()
        thread.join(5)


def _read(line: socket.socket) -> Asked | None:
    """One request, or None when the other side is done."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = line.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _mark, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (each.partition(":") for each in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += line.recv(65_536)
    method, target, _version = first.split(" ")
    return Asked(method, target, headers, body)
