"""Pages of the door: signing in by passkey or by password and number, an invitation, signing out, the language."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from starlette.responses import Response

from sync.console.web import answering, asking, passkeys, proving
from sync.console.web.answering import go, page
from sync.console.web.asking import COOKIE, LANGUAGE, LANGUAGES, Ask, NotSignedIn
from sync.console.web.challenges import Challenges, read, written
from sync.protocol.consoles import SIGN_IN, Account, actor_of
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

HOME: Final = "/devices"
_OURS: Final = re.compile(r"/(?!/)[A-Za-z0-9/?&=._%+-]*")
_YEAR_S: Final = 365 * 86_400
_MANY: Final = "every address"


class Door:
    """What the pages of signing in share."""

    def __init__(self, key: bytes) -> None:
        self.challenges = Challenges(key)

    def look(self, ask: Ask) -> Response:
        """The page of signing in; on to the devices for whoever has."""
        return go(ask, HOME) if ask.account else self._page(ask)

    def by_password(self, ask: Ask) -> Response:
        """A password and a number."""
        email = ask.form.get("email", "").strip()[:200]
        self._slow_down(ask, email)
        account = ask.house.gate.account_by_email(email)
        if not proving.fits(account, ask.form.get("password", "")) or account is None:
            return self._failed(ask, email, "password")
        if account.failed >= proving.TRIES:
            return self._failed(ask, email, "closed")
        after = proving.after_number(account, ask.form.get("number", ""), ask.now)
        if after is None:
            ask.house.gate.refused(account.id)
            return self._failed(ask, email, "number")
        if not asking.may_come(account):
            return self._failed(ask, email, "role")
        if not ask.house.gate.used(after):
            return self._failed(ask, email, "number")
        return let_in(ask, after, "password")

    def by_passkey(self, ask: Ask) -> Response:
        """A passkey that the browser knows for this host."""
        self._slow_down(ask, "")
        gate, challenge = ask.house.gate, read(ask.form.get("challenge", ""))
        try:
            answer = passkeys.asserted(ask.form.get("answer", ""))
            known = gate.passkey(answer.id)
            if known is None or known.purpose != SIGN_IN or not self.challenges.is_ours(challenge, ask.now):
                return self._failed(ask, "", "passkey")
            counter = passkeys.holds(ask.house.sites.console, challenge, answer, known.public)
        except KnownError:
            return self._failed(ask, "", "passkey")
        account = gate.account(known.account)
        if account is None or not asking.may_come(account) or not self.challenges.use(challenge, ask.now):
            return self._failed(ask, "", "passkey")
        gate.put_passkey(msgspec.structs.replace(known, counter=counter, used=ask.now))
        if account.failed:
            account = msgspec.structs.replace(account, failed=0)
            gate.put_account(account)
        return let_in(ask, account, "passkey")

    def _page(self, ask: Ask, trouble: str = "", status: int = 200) -> Response:
        challenge = self.challenges.give(ask.now)
        options = passkeys.question(ask.house.sites.console, challenge, [])
        return page(
            ask, "sign_in.html", status=status, options=options, challenge=written(challenge), trouble=trouble
        )

    def _slow_down(self, ask: Ask, email: str) -> None:
        tries = ask.house.tries
        keys = (ask.address, f"as {email.casefold()}") if email else (ask.address,)
        if any(tries.exhausted(key, ask.now) for key in keys):
            raise KnownError(_("Too many tries."), _("Wait a minute, then try again."))

    def _failed(self, ask: Ask, email: str, why: str) -> Response:
        """The same words whatever did not fit."""
        for key in (ask.address, *([f"as {email.casefold()}"] if email else [])):
            ask.house.tries.failed(key, ask.now)
        account = ask.house.gate.account_by_email(email) if email else None
        # Strangers do not fill the audit table; whose account it is, is counted under its own name.
        if account or not ask.house.flood.exhausted(_MANY, ask.now):
            ask.house.flood.failed(_MANY, ask.now)
            ask.house.gate.note(
                "console", f"refused to sign in: {why}", account.person.hex() if account else ""
            )
        return self._page(ask, _("This does not fit together. Try again."), 403)


def let_in(ask: Ask, account: Account, way: str) -> Response:
    """On to the devices, with a new cookie."""
    answer = go(ask, HOME)
    token = asking.begin_visit(ask, account, way)
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")
    return answer


def invitation(ask: Ask) -> Response:
    """Choose a password and take up the second factor."""
    return _invited(ask, _account(ask))


def accept(ask: Ask) -> Response:
    """Keep them, and come in."""
    account = _account(ask)
    secret = _secret(ask)
    fresh = msgspec.structs.replace(account, totp=secret, totp_last=0, failed=0)
    try:
        password = ask.form.get("password", "")
        if password != ask.form.get("again", ""):
            raise KnownError(_("The two passwords differ."))
        kept = proving.hashed(password, account.email)
        after = proving.after_number(fresh, ask.form.get("number", ""), ask.now)
        if after is None:
            raise KnownError(
                _("The number does not fit."), _("Wait for the next one, and look at the clock.")
            )
    except KnownError as error:
        _count_try(ask)
        return _invited(ask, account, " ".join(filter(None, (error.title, error.hint))), 403)
    after = msgspec.structs.replace(after, password=kept, invite=b"", invite_ends=0)
    ask.house.gate.note(actor_of(account.person), "console account set up", account.person.hex())
    ask.house.gate.renewed(after)
    return let_in(ask, after, "password")


def _account(ask: Ask) -> Account:
    if ask.house.tries.exhausted(ask.address, ask.now):
        raise KnownError(_("Too many tries."), _("Wait a minute, then try again."))
    found = ask.house.gate.invited(read(ask.path("code")))
    if found is None or not asking.may_come(found):
        _count_try(ask)
        raise KnownError(
            _("This invitation is not valid any more."),
            _("Ask for a new one; it works once, within 24 hours."),
        )
    return found


def _count_try(ask: Ask) -> None:
    ask.house.tries.failed(ask.address, ask.now)


def _secret(ask: Ask) -> bytes:
    return ask.house.gate.derived(b"invitation" + read(ask.path("code")))


def _invited(ask: Ask, account: Account, trouble: str = "", status: int = 200) -> Response:
    secret = _secret(ask)
    address = proving.app_address(secret, account.email, ask.house.org)
    return page(
        ask, "invite.html", status=status, code=ask.path("code"), email=account.email, trouble=trouble,
        picture=proving.picture(address), letters=proving.letters(secret), least=proving.PASSWORD_MIN,
    )  # fmt: skip


def sign_out(ask: Ask) -> Response:
    """End this visit."""
    if ask.visit is None:
        raise NotSignedIn
    ask.house.gate.drop_visit(ask.visit.digest)
    ask.note("signed out", "")
    answer = go(ask, "/sign-in")
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def speak(ask: Ask) -> Response:
    """Remember the language in this browser."""
    back = ask.form.get("back", HOME)
    answer = go(ask, back if _OURS.fullmatch(back) else HOME)
    language = ask.form.get("language", "")
    if language in LANGUAGES:
        answer.set_cookie(
            LANGUAGE, language, max_age=_YEAR_S, path="/", secure=True, httponly=True, samesite="lax"
        )
    return answer


def bounce(ask: Ask) -> Response:
    """The same page once more: who comes from elsewhere comes without the cookie, and from here with it."""
    return answering.page(ask, "bounce.html")
