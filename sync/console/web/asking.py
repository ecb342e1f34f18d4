"""One request to the console: who asks, in which language, from which page; and the rights that it is held against."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from sync.console.gate import Gate, Tries
from sync.console.places import Place, Sites
from sync.console.ports import Office
from sync.console.web.tickets import Tickets
from sync.protocol import texts
from sync.protocol.consoles import ACTS, ROLES, Account, Visit, actor_of
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

COOKIE: Final = "__Host-fieldkeep"
LANGUAGE: Final = "__Host-language"
LANGUAGES: Final = {"en": "English", "zh_CN": "简体中文", "zh_TW": "繁體中文"}
IDLE_MS: Final = 30 * 60_000
TOTAL_MS: Final = 12 * 3_600_000
SEEN_EVERY_MS: Final = 60_000
FORM_MAX: Final = 64 * 2**10
FIELDS_MAX: Final = 60


class NotSignedIn(Exception):
    """Nobody who may see this page."""


class NotHere(KnownError):
    """What the path names is not there."""


class Forged(Exception):
    """A form that no page of ours has sent."""


@dataclass(frozen=True, slots=True)
class House:
    """What all pages share."""

    gate: Gate
    office: Office
    sites: Sites
    tries: Tries
    flood: Tries  # from everywhere together
    tickets: Tickets
    org: str


@dataclass(slots=True)
class Ask:
    """One request, read whole."""

    house: House
    request: Request
    form: dict[str, str]
    language: str
    now: int
    token: str = field(default="", repr=False)
    visit: Visit | None = None
    account: Account | None = None
    file: bytes = field(default=b"", repr=False)  # what was brought along with the form

    @property
    def me(self) -> Account:
        """Who asks. Raises NotSignedIn."""
        if self.account is None:
            raise NotSignedIn
        return self.account

    @property
    def acts(self) -> bool:
        """Whether who asks may do more than look."""
        return self.account is not None and self.account.role == ACTS

    @property
    def actor(self) -> str:
        """Who asks, as the audit table says it."""
        return actor_of(self.me.person)

    @property
    def form_token(self) -> str:
        """What every form of this visit carries."""
        drawn = hmac.digest(self.token.encode(), b"fieldkeep form", "sha256")
        return base64.urlsafe_b64encode(drawn[:24]).decode()

    @property
    def address(self) -> str:
        """The address that asks."""
        return self.request.client.host if self.request.client else ""

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """A word of the query."""
        return self.request.query_params.get(name, default)

    def note(self, verb: str, object_: str) -> None:
        """Say in the audit table that this person is about to do this."""
        self.house.gate.note(self.actor, verb, object_)


def come_in(ask: Ask) -> None:
    """Find out who asks; nobody where the visit has ended, or the person has no such role any more."""
    ask.token = ask.request.cookies.get(COOKIE, "")
    if not ask.token:
        return
    gate = ask.house.gate
    visit = gate.visit(digest_of(ask.token))
    if visit is None or ask.now - visit.seen > IDLE_MS or ask.now - visit.begun > TOTAL_MS:
        return
    account = gate.account(visit.account)
    if account is None or not may_come(account):
        return
    if ask.now - visit.seen > SEEN_EVERY_MS:
        gate.put_visit(msgspec.structs.replace(visit, seen=ask.now))
    ask.visit, ask.account = visit, account


def may_come(account: Account) -> bool:
    """Whether this account's person has a role that the console is for."""
    return account.role in ROLES


def refuse_forged(ask: Ask, place: Place) -> None:
    """Refuse a form of another page: by where it comes from, and by the visit's own word. Raises Forged."""
    if ask.request.headers.get("origin") != place.origin:
        raise Forged
    site = ask.request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin":
        raise Forged
    if ask.account is not None and not hmac.compare_digest(
        ask.form.get("token", "").encode(), ask.form_token.encode()
    ):
        raise Forged


def refuse_looker(ask: Ask) -> None:
    """Refuse who may look and not act. Raises KnownError."""
    if not ask.acts:
        raise KnownError(
            _("Your role may look at this and not change it."), _("Ask somebody with the role it.")
        )


def begin_visit(ask: Ask, account: Account, way: str) -> str:
    """A new visit, whatever cookie came along; the new cookie's value."""
    gate, token = ask.house.gate, secrets.token_urlsafe(32)
    gate.forget_visits(ask.now - IDLE_MS, ask.now - TOTAL_MS)
    if ask.token:
        gate.drop_visit(digest_of(ask.token))
    browser = ask.request.headers.get("user-agent", "")[:120]
    gate.put_visit(
        Visit(
            digest=digest_of(token), account=account.id, begun=ask.now, seen=ask.now, way=way, browser=browser
        )
    )
    gate.note(actor_of(account.person), f"signed in by {way}", ask.address)
    return token


def digest_of(token: str) -> bytes:
    """What the server keeps of a cookie."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def fields_of(body: bytes, most: int = FIELDS_MAX) -> dict[str, str]:
    """The fields of a form. Raises Forged where it is none."""
    try:
        found = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=most
        )
    except ValueError:
        raise Forged from None
    return dict(found)


def language_of(request: Request) -> str:
    """The language that was chosen, else the first that the browser asks for and we have."""
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "")[:500].split(","):
        name, _sign, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight) if weight else 1.0, name))
        except ValueError:
            continue
    for _weight, name in sorted(wanted, key=lambda each: -each[0]):
        if name.strip() and (ours := texts.canonical(name.strip())) in LANGUAGES:
            return ours
    return texts.SOURCE


Handler = Callable[[Ask], object]
