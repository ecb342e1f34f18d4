"""What the console answers: pages from templates that escape whatever they are given, and heads that guard them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

import jinja2
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sync.console.places import Sites
from sync.console.web import resources
from sync.console.web.asking import LANGUAGES, Ask
from sync.console.web.heads import SHUT
from sync.protocol import texts
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
_PASSKEYS: Final = "publickey-credentials-get=(self), publickey-credentials-create=(self)"
_NOTHING: Final = "camera=(), microphone=(), geolocation=(), usb=(), payment=(), display-capture=()"
_HEADS: Final = {
    **SHUT,
    "Permissions-Policy": f"{_PASSKEYS}, {_NOTHING}",
}


def heads(sites: Sites, *, signing: bool = False) -> dict[str, str]:
    """The heads of a page: nothing from elsewhere, nothing inline, in no frame, kept by nobody."""
    to = f"'self' {sites.console.origin}" if signing else f"'self' {sites.signing.origin}"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action {to}; frame-ancestors 'none'; base-uri 'none'"
    )
    # No script of the signing pages writes markup; htmx on the others does.
    policy += "; require-trusted-types-for 'script'" if signing else ""
    return {**_HEADS, "Content-Security-Policy": policy}


def page(ask: Ask, name: str, *, status: int = 200, signing: bool = False, **values: Any) -> Response:
    """A page."""
    text = _ENVIRONMENT.get_template(name).render(
        ask=ask, me=ask.account, acts=ask.acts, language=ask.language, languages=LANGUAGES, org=ask.house.org,
        now=ask.now, signing=signing, **values,
    )  # fmt: skip
    return HTMLResponse(text, status_code=status, headers=heads(ask.house.sites, signing=signing))


def message(ask: Ask, title: str, hint: str = "", *, status: int = 400, signing: bool = False) -> Response:
    """A page that says what is not so, and the next step."""
    return page(ask, "message.html", status=status, signing=signing, title=title, hint=hint)


def go(ask: Ask, to: str) -> Response:
    """On to another page: a path of ours, or the other of our two hosts."""
    return RedirectResponse(to, status_code=303, headers=heads(ask.house.sites))


def file(ask: Ask, name: str, text: str, media: str = "text/plain") -> Response:
    """A file to be kept."""
    more = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media, headers={**heads(ask.house.sites), **more})


def when(at: int) -> str:
    """A moment, in UTC."""
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "–"


def lasting(span: int) -> str:
    """How long, in the largest unit that fits."""
    if span < MINUTE_MS:
        n = max(0, span // 1000)
        return ngettext("{n} second", "{n} seconds", n).format(n=n)
    if span < HOUR_MS:
        n = span // MINUTE_MS
        return ngettext("{n} minute", "{n} minutes", n).format(n=n)
    if span < 2 * DAY_MS:
        n = span // HOUR_MS
        return ngettext("{n} hour", "{n} hours", n).format(n=n)
    n = span // DAY_MS
    return ngettext("{n} day", "{n} days", n).format(n=n)


def ago(at: int, now: int) -> str:
    """How long ago."""
    return _("{span} ago").format(span=lasting(now - at)) if at else _("never")


def number(value: int) -> str:
    """A number, with its thousands apart."""
    return f"{value:,}"


_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(resources.root() / "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(
    _=texts.gettext, ngettext=texts.ngettext, pgettext=texts.pgettext, ago=ago, lasting=lasting
)
_ENVIRONMENT.filters.update(
    when=when, number=number, shown=lambda value: json.dumps(value, ensure_ascii=False)
)
