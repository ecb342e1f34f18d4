"""A server in this process: real store, real keys, the real application, called without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from sync.compose import founding
from sync.console import desk, keyfile
from sync.protocol.desk import DeviceView, OrderView
from sync.protocol.documents import Order
from sync.protocol.errors import Problem
from sync.protocol.ids import new_record_id
from sync.protocol.merge import Conflict
from sync.server import config
from sync.server.config import Folders
from sync.server.db.moving import MovableStore
from sync.server.office import StoreOffice
from sync.server.service import Service
from sync.server.web import routes
from tests.server.driver import Device, Refusal, now_ms

URL = "https://127.0.0.1:8443"


def problem_of(refusal: pytest.ExceptionInfo[Refusal]) -> Problem:
    """Which problem the server named."""
    return refusal.value.trouble.problem


def nobody_asks() -> str:
    """The passphrase of keys that have none."""
    raise AssertionError("no passphrase is needed")


@dataclass
class Inside:
    """An organisation and its server; `skew` moves the server's clock."""

    folder: Path
    store_url: str = ""
    folders: Folders = field(init=False)
    store: MovableStore = field(init=False)
    service: Service = field(init=False)
    office: StoreOffice = field(init=False)
    app: Starlette = field(init=False)
    skew: int = 0

    def __post_init__(self) -> None:
        wish = founding.Wish(
            data=self.folder / "data",
            secrets=self.folder / "secrets",
            keys=self.keys,
            org_name="Example",
            admin="it@example.com",
            host="127.0.0.1",
            port=8443,
            console_host="localhost",
            store=self.store_url,
        )
        founding.found(wish, "")
        self.folders, _settings = config.load(wish.data)
        self.open()

    @property
    def keys(self) -> Path:
        """The offline keys."""
        return self.folder / "keys"

    def open(self) -> None:
        """Open the store, as at a start."""
        self.store = config.open_store(self.folders)
        lease_key = config.read_lease_key(self.folders.lease_key)
        self.service = Service(self.store, lease_key)
        self.service.now = self.now
        self.office = StoreOffice(self.store, lease_key, URL, self.now)
        self.app = routes(self.service)

    def now(self) -> int:
        """The server's time."""
        return now_ms() + self.skew

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """One request to the application, in one piece."""
        return asyncio.run(self.call(method, path, [body], headers))

    def send_pieces(self, path: str, pieces: list[bytes], headers: dict[str, str]) -> tuple[int, bytes]:
        """One POST whose body comes in pieces without a declared length."""
        return asyncio.run(self.call("POST", path, pieces, {**headers, "content-length": ""}))

    def person(self, email: str, role: str = "rep", team: str = "Sales") -> str:
        """Somebody with an account; gives the address back."""
        self.office.add_person(email, role, team, "")
        return email

    def device(self, email: str, name: str = "", **other: Any) -> Device:
        """An enrolled device of this person."""
        device = Device(self.send, name or f"laptop of {email}", **other)
        device.enrol(self.office.enrol_code(email))
        return device

    def view(self, device: Device) -> DeviceView:
        """The device as IT sees it."""
        (found,) = [each for each in self.office.devices() if each.enrolment == device.enrolment]
        return found

    def lock(self, device: Device) -> OrderView:
        """Lock by the server's own key."""
        return self.office.sign_here("lock", device.enrolment, "lost")[0]

    def unlock(self, device: Device) -> OrderView:
        """Unlock by the server's own key."""
        return self.office.sign_here("unlock", device.enrolment, "found")[0]

    def wipe(self, device: Device) -> bytes:
        """File a wipe signed with an order key; the envelope as the device gets it."""
        desk.sign_order(self.office, self.keys, nobody_asks, "wipe", self.view(device), "lost")
        return self.order_envelope(device)

    def disputed(self, record: bytes, count: int, ver: int) -> set[bytes]:
        """Open conflicts about the notes of a customer, of 5,000 bytes each, under one number; their ids."""
        ids = {bytes(new_record_id()) for _each in range(count)}
        with self.store.write() as tx:
            for id_ in ids:
                tx.records.put_conflict(
                    Conflict(id=id_, kind="customer", record=record, cell="notes", kept="k" * 5_000, ver=ver)
                )
        return ids

    def order_envelope(self, device: Device) -> bytes:
        """The newest order filed for a device."""
        with self.store.read() as tx:
            return tx.post.orders_for(device.enrolment)[-1].envelope

    def order_key(self, name: str = "order-1.key") -> keyfile.OpenKey:
        """A key of the admin."""
        return keyfile.read(self.keys / name, nobody_asks)

    async def call(
        self, method: str, path: str, pieces: list[bytes], headers: dict[str, str], address: str = "192.0.2.1"
    ) -> tuple[int, bytes]:
        """One request to the application, from an address."""
        declared = {
            "content-length": str(sum(map(len, pieces))),
            **{k.lower(): v for k, v in headers.items()},
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path.partition("?")[0],
            "raw_path": path.encode(),
            "query_string": path.partition("?")[2].encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in declared.items() if v],
            "client": (address, 1),
            "server": ("127.0.0.1", 8443),
        }
        left = list(pieces)
        answer: dict[str, Any] = {"status": 0, "body": b"", "headers": []}

        async def receive() -> dict[str, Any]:
            if not left and "x-never-ends" in declared:
                await asyncio.Event().wait()
            piece = left.pop(0) if left else b""
            return {
                "type": "http.request",
                "body": piece,
                "more_body": bool(left) or "x-never-ends" in declared,
            }

        async def reply(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer["status"], answer["headers"] = message["status"], message["headers"]
            else:
                answer["body"] += message.get("body", b"")

        await self.app(scope, receive, reply)
        self.last_headers = {k.decode(): v.decode() for k, v in answer["headers"]}
        return answer["status"], answer["body"]


__all__ = ["Inside", "Order"]
