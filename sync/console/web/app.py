"""The console's application: which page is where, who may see it, and what becomes of what goes wrong.

Two hosts: the console's, with cookies, and the one on which orders are signed, without. A request for any other is
refused, whatever address it came to. Pages run in threads of their own, so that no device waits for them.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Route, Router

from sync.console.web import accounts, devices, losses, people, policies, resources, sign_in, signing, uploads
from sync.console.web.answering import go, heads, message
from sync.console.web.asking import (
    FIELDS_MAX,
    FORM_MAX,
    LANGUAGES,
    Ask,
    Forged,
    House,
    NotHere,
    NotSignedIn,
    come_in,
    fields_of,
    language_of,
    refuse_forged,
)
from sync.console.web.news import NewsLines
from sync.console.web.sign_in import Door
from sync.protocol import texts
from sync.protocol.errors import KnownError, Refused
from sync.protocol.texts import gettext as _

THREADS: Final = 4
BODY_S: Final = 15.0
AT_ONCE: Final = 100  # requests under way; beyond that the console says that it is busy

Page = Callable[[Ask], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
Fault = Callable[[str, Exception], None]


@dataclass(frozen=True, slots=True)
class Where:
    """A page: its path, its method, and whether somebody must have signed in."""

    path: str
    page: Page
    method: str = "GET"
    open: bool = False
    most: int = FORM_MAX  # bytes of its form
    fields: int = FIELDS_MAX
    upload: bool = False  # its form brings a file


class Console:
    """The application over a house; `fault` is told of what is a fault of ours."""

    def __init__(self, house: House, fault: Fault) -> None:
        self._house = house
        self._fault = fault
        self._door = Door(house.gate.derived(b"challenges"))
        self._threads = ThreadPoolExecutor(THREADS, "console")
        self._under_way = 0
        self._parts = resources.parts()
        self.news = NewsLines(house.gate, self.run)

    def app(self) -> Starlette:
        """The application."""
        console, wipes = (
            _host_of(site.origin) for site in (self._house.sites.console, self._house.sites.signing)
        )
        static = Route("/static/{name}", self._static, methods=["GET"])
        pages = _exact([static, *self._events(), *(self._route(each) for each in self._pages())])
        orders = _exact([static, *(self._route(each, signing=True) for each in _orders())])
        return Starlette(
            routes=[Host(console, pages), Host(wipes, orders), Route("/{path:path}", self._elsewhere)],
            exception_handlers={404: self._nowhere, 405: self._nowhere},
        )

    def close(self) -> None:
        """End every line, so that the server can stop."""
        self.news.close()

    async def run(self, work: Callable[[], object]) -> object:
        """Run this in one of the console's threads, in this request's language."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(context.run, work))

    def _pages(self) -> list[Where]:
        door = self._door
        device = "/devices/{enrolment}"
        return [
            Where("/", door.look, open=True),
            Where("/sign-in", door.look, open=True),
            Where("/sign-in", door.by_password, "POST", open=True),
            Where("/sign-in/passkey", door.by_passkey, "POST", open=True),
            Where("/invite/{code}", sign_in.invitation, open=True),
            Where("/invite/{code}", sign_in.accept, "POST", open=True),
            Where("/sign-out", sign_in.sign_out, "POST"),
            Where("/language", sign_in.speak, "POST", open=True),
            Where("/devices", devices.listed),
            Where(device, devices.shown),
            Where(f"{device}/progress", devices.progress),
            Where(f"{device}/lock", devices.lock, "POST"),
            Where(f"{device}/unlock", devices.unlock, "POST"),
            Where(f"{device}/retire", devices.retire, "POST"),
            Where(f"{device}/wipe", devices.wipe, "POST"),
            Where(f"{device}/report", losses.report),
            Where(f"{device}/notice.txt", losses.notice),
            Where(f"{device}/records.csv", losses.ids),
            Where("/people", people.listed),
            Where("/people", people.put, "POST"),
            Where("/people/code", people.code, "POST"),
            Where("/people/leave", people.leave, "POST"),
            *_policies(),
            Where("/audit", accounts.audit),
            Where("/account", accounts.mine),
            Where("/account/passkey", accounts.add_passkey, "POST"),
            Where("/account/passkey/remove", accounts.drop_passkey, "POST"),
            Where("/account/order-key", accounts.order_key, "POST"),
            Where("/account/visits", accounts.end_visits, "POST"),
        ]

    def _route(self, where: Where, *, signing: bool = False) -> Route:
        async def endpoint(request: Request) -> Response:
            if self._under_way >= AT_ONCE:
                return PlainTextResponse("busy", status_code=503, headers={"Retry-After": "5"})
            self._under_way += 1
            try:
                body = await _body(request, where.most) if where.method == "POST" else b""
                answer = await self.run(lambda: self._answer(request, body, where, signing=signing))
            except (ClientDisconnect, TimeoutError):
                return PlainTextResponse("too slow", status_code=408)
            finally:
                self._under_way -= 1
            assert isinstance(answer, Response)  # noqa: S101 - what the line above has made
            return answer

        return Route(where.path, endpoint, methods=[where.method])

    def _answer(self, request: Request, body: bytes | None, where: Where, *, signing: bool) -> Response:
        ask = Ask(self._house, request, {}, language_of(request), self._house.gate.now())
        if signing and (language := self._spoken(request, ask.now)):
            ask.language = language
        with texts.speaking(ask.language):
            try:
                if body is None:
                    return message(ask, _("This is too large."), status=413, signing=signing)
                if where.upload:
                    media = request.headers.get("content-type", "")
                    ask.form, ask.file = uploads.parts_of(body, media)
                elif where.method == "POST":
                    ask.form = fields_of(body, where.fields)
                if not signing:
                    come_in(ask)
                if where.method == "POST":
                    sites = self._house.sites
                    refuse_forged(ask, sites.signing if signing else sites.console)
                if not (where.open or signing or ask.account):
                    raise NotSignedIn
                return where.page(ask)
            except NotSignedIn:
                site = request.headers.get("sec-fetch-site", "")
                if where.method == "GET" and site in ("cross-site", "same-site") and not ask.token:
                    return sign_in.bounce(ask)
                return go(ask, "/sign-in")
            except Forged:
                title, hint = (
                    _("This form is too old, or of another page."),
                    _("Open the page again and repeat."),
                )
                return message(ask, title, hint, status=403, signing=signing)
            except (KnownError, Refused) as error:
                status = 404 if isinstance(error, NotHere) else 400
                return message(ask, error.title, error.hint, status=status, signing=signing)
            except Exception as error:  # noqa: BLE001 - a fault of ours ends here, so that its text reaches nobody
                self._fault("console", error)
                title, hint = _("The server could not do this."), _("Its log says where it went wrong.")
                return message(ask, title, hint, status=500, signing=signing)

    def _spoken(self, request: Request, now: int) -> str:
        """The language of who was sent here: no cookie says it."""
        code = str(request.path_params.get("ticket", ""))
        found = [self._house.tickets.look(code, each, now) for each in _PURPOSES]
        return next((each.language for each in found if each and each.language in LANGUAGES), "")

    def _events(self) -> list[Route]:
        async def listen(request: Request) -> Response:
            answer = await self.run(
                lambda: self._answer(request, b"", Where("", devices.shown), signing=False)
            )
            if not isinstance(answer, Response) or answer.status_code != 200:
                return PlainTextResponse("", status_code=403)
            return self.news.join(request)

        return [Route("/devices/{enrolment}/events", listen, methods=["GET"])]

    async def _static(self, request: Request) -> Response:
        part = self._parts.get(request.path_params["name"])
        if part is None:
            return PlainTextResponse("", status_code=404)
        more = {
            "ETag": part.tag,
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if request.headers.get("if-none-match") == part.tag:
            return Response(status_code=304, headers=more)
        return Response(part.data, media_type=part.media, headers=more)

    async def _nowhere(self, request: Request, error: Exception) -> Response:
        return PlainTextResponse("There is no such page.", status_code=404, headers=heads(self._house.sites))

    async def _elsewhere(self, request: Request) -> Response:
        text = f"The console is at {self._house.sites.console.origin}\n"
        return PlainTextResponse(text, status_code=421, headers=heads(self._house.sites))


_PURPOSES: Final = (devices.SIGNING, signing.REGISTER)


def _orders() -> list[Where]:
    return [
        Where("/sign/{ticket}", signing.order, open=True),
        Where("/sign/{ticket}", signing.sign, "POST", open=True),
        Where("/key/{ticket}", signing.new_key, open=True),
        Where("/key/{ticket}", signing.register, "POST", open=True),
    ]


def _policies() -> list[Where]:
    one, large = "/policy/drafts/{draft}", (policies.FORM_MAX, policies.FIELDS_MAX)
    return [
        Where("/policy", policies.shown),
        Where("/policy/drafts", policies.begin, "POST"),
        Where(one, policies.draft),
        Where(one, policies.save, "POST", most=large[0], fields=large[1]),
        Where(f"{one}/look", policies.look, "POST", most=large[0], fields=large[1]),
        Where(f"{one}/drop", policies.drop, "POST"),
        Where(f"{one}/policy.json", policies.file),
        Where(f"{one}/file", policies.publish, "POST", most=policies.UPLOAD_MAX, upload=True),
    ]


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body; None where it is larger than the form may be. Raises TimeoutError, ClientDisconnect."""
    found = bytearray()
    async with asyncio.timeout(BODY_S):
        async for piece in request.stream():
            found += piece
            if len(found) > most:
                return None
    return bytes(found)


def _host_of(origin: str) -> str:
    """The host of an origin, without its port: Starlette looks at the name alone."""
    return origin.removeprefix("https://").rpartition(":")[0] or origin.removeprefix("https://")


def _exact(routes: list[Route]) -> Router:
    """Pages at their very paths: a redirection to one with another end would name whatever host was asked for."""
    return Router(routes, redirect_slashes=False)
