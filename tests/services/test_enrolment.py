"""Joining an organisation: cut off anywhere, tried again, and in front of somebody who is not the server."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.client.https import fetch_root
from sync.protocol import codes
from tests.keyring_of_tests import all_entries
from tests.road import ANNA, Laptop, Town

HELD = {"ring.1", "share.1", "dev", "enc", "hw", "trust"}
STEPS = 32  # durable steps of an enrolment, with one before and after each


@pytest.mark.parametrize(
    "every", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["some steps", "each step"]
)
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh codes", "one code"])
def test_killed_at_any_step_it_can_be_done_again(town: Town, every: int, fresh: bool) -> None:
    """Each death leaves a profile that enrols with the same code or the next, and no key of a device cut off."""
    laptop = town.laptop()
    code = town.code(ANNA)
    before = all_entries()
    deaths = 0
    for at in range(0, 100, every):
        code = town.code(ANNA) if fresh else code
        called = f"dies at {at} of {every}" if fresh else f"dies in steps of {every}"
        answer = laptop.act("enrol", at=at, code=code, name=called)
        if laptop.profile.device.exists():
            break  # the card is the last thing written: from here on it is enrolled
        assert answer.code == -9, answer.err
        deaths += 1
        assert laptop.ask("list", "customer").code == 1
    assert deaths >= 14 // every  # what an earlier try has made is not made again
    assert laptop.ask("list", "customer").code == 0
    assert laptop.ask("sync").code == 0
    service, name = zip(*(all_entries() - before), strict=True)
    assert len(set(service)) == 1
    assert set(name) == HELD


@pytest.mark.parametrize(
    "at", [pytest.param(n, marks=() if n % 9 == 5 else pytest.mark.slow) for n in range(STEPS)]
)
def test_killed_at_a_step_of_the_first_try_the_same_code_goes_on(town: Town, at: int) -> None:
    laptop = town.laptop()
    code = town.code(ANNA)
    before = all_entries()
    assert laptop.act("enrol", at=at, code=code, name=laptop.name).code == -9
    if not laptop.profile.device.exists():
        assert laptop.ask("enrol", "--name", laptop.name, stdin=code).code == 0
    assert laptop.ask("sync").code == 0
    assert [each["name"] for each in town.admin("devices")].count(laptop.name) == 1
    service, name = zip(*(all_entries() - before), strict=True)
    assert (len(set(service)), set(name)) == (1, HELD)


def test_the_first_try_has_so_many_steps(town: Town) -> None:
    laptop = town.laptop()
    answer = laptop.act("enrol", at=None, code=town.code(ANNA), name=laptop.name)
    assert len(json.loads(answer.out)) == STEPS


def test_a_name_for_the_device_and_what_is_refused(town: Town) -> None:
    laptop = town.laptop()
    code = town.code(ANNA)
    for name in ("", "   ", "x" * 61):
        assert laptop.ask("enrol", "--name", name, stdin=code).code == 1
    assert laptop.ask("enrol", "--name", "办公室的电脑", stdin=code).code == 0
    assert laptop.json("status")["device"] == "办公室的电脑"


def test_unsent_work_without_a_card_is_not_written_over(town: Town) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Nowhere else")
    laptop.profile.device.unlink()
    (laptop.folder / "enrolling.json").write_text('{"org": "00", "device": "00"}')
    before = {name: (laptop.folder / name).read_bytes() for name in ("outbox.seal", "store.db", "store.hdr")}
    done = laptop.ask("enrol", "--name", "again", stdin=town.code(ANNA))
    assert (done.code, done.err.splitlines()[0]) == (1, "There is a store here whose device card is missing.")
    assert {name: (laptop.folder / name).read_bytes() for name in before} == before
    assert set(laptop.entries()) == HELD


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Another organisation."""
    made = Town(tmp_path_factory.mktemp("other"))
    yield made
    assert made.server.stop() == 0


def test_a_server_with_another_root_is_refused(town: Town, other: Town) -> None:
    real = codes.read(town.code(ANNA))
    asked = codes.write(codes.EnrolCode(other.server.url, real.root_digest, real.secret))
    laptop = town.laptop()
    done = laptop.ask("enrol", "--name", laptop.name, stdin=asked)
    assert (done.code, done.err.splitlines()[0]) == (
        1,
        "This server is not the one your enrolment code names.",
    )
    assert laptop.files() == ["profile.lock"]
    assert (
        laptop.ask("enrol", "--name", laptop.name, stdin=codes.write(real)).code == 0
    )  # the code was not spent


def test_somebody_who_shows_our_root_cannot_be_our_server(town: Town, other: Town) -> None:
    """The root is public; who hands it on still lacks the key of its certificates, and never sees the code."""
    real = codes.read(town.code(ANNA))
    laptop = town.laptop()
    with _impostor(other, fetch_root(town.server.url)) as (url, seen):
        asked = codes.write(codes.EnrolCode(url, real.root_digest, real.secret))
        done = laptop.ask("enrol", "--name", laptop.name, stdin=asked)
    assert (done.code, done.err.splitlines()[0]) == (
        5, "The server could not prove that it belongs to your organisation.",
    )  # fmt: skip
    assert seen == ["GET /v1/root"]
    assert laptop.files() == ["profile.lock"]


def test_an_impostor_at_the_servers_address_gets_nothing(town: Town, other: Town) -> None:
    laptop: Laptop = town.laptop(ANNA)
    laptop.add("customer", name="For our server alone")
    town.server.stop()
    with _impostor(other, b"", port=town.server.port) as (_url, seen):
        done = laptop.ask("sync")
    town.server.start()
    assert done.code == 5
    assert seen == []
    assert laptop.json("status")["unsent"] == 1
    assert laptop.ask("sync").code == 0


@contextmanager
def _impostor(owner: Town, root: bytes, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A TLS server with another organisation's certificate; gives its address and the requests it sees."""
    seen: list[str] = []

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"GET {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", str(len(root)))
            self.end_headers()
            self.wfile.write(root)

        def do_POST(self) -> None:
            seen.append(f"POST {self.path}")

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_file(owner, "tls.crt"), _file(owner, "tls.key"))
    server = _Quiet(("127.0.0.1", port), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(http.server.ThreadingHTTPServer):
    """A handshake that the other side breaks off is what these tests are about."""

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing."""


def _file(town: Town, name: str) -> Path:
    return town.secrets / name
