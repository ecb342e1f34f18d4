"""Nobody keeps an alarm from the other admins: not by an address, a flood of lines, or a role taken away."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.server import mailing
from sync.server.db.kept import AuditLine
from tests.server.inside import Inside

WRONG = "aaa@nowhere.example"  # before all others in the order in which they are written to


class Carrier:
    """A mail server that takes nothing for some addresses."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.got: list[tuple[str, str]] = []

    def send(self, to: str, subject: str, text: str) -> None:
        """Take a mail, or refuse its address as a real one does."""
        if to in self.refused:
            raise smtplib.SMTPRecipientsRefused({to: (550, b"no such user")})
        self.got.append((to, subject))

    def to(self, subject: str) -> list[str]:
        """Who got mails of that subject."""
        return sorted(to for to, said in self.got if subject in said)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    made = Inside(tmp_path / "org")
    made.office.add_person("ed@example.com", "it", "IT", "")
    mailing.tell(made.store, Carrier(), made.folders.mailed, "")
    yield made
    made.store.close()


def _told(inside: Inside, carrier: Carrier) -> Carrier:
    mailing.tell(inside.store, carrier, inside.folders.mailed, "")
    return carrier


@pytest.mark.expected_warnings("mail problem=SMTPRecipientsRefused")
def test_an_address_that_nobody_delivers_to_keeps_no_alarm_from_the_others(inside: Inside) -> None:
    inside.office.add_person(WRONG, "it", "IT", "")
    inside.wipe(inside.device(inside.person("ana@example.com")))
    carrier = _told(inside, Carrier(WRONG))
    assert carrier.to("A wipe was ordered") == ["ed@example.com", "it@example.com"]
    _told(inside, carrier)  # once each, though one is still owed
    assert carrier.to("A wipe was ordered") == ["ed@example.com", "it@example.com"]
    carrier.refused.clear()
    _told(inside, carrier)
    assert carrier.to("A wipe was ordered") == [WRONG, "ed@example.com", "it@example.com"]
    _told(inside, carrier)
    assert len(carrier.to("A wipe was ordered")) == 3


def test_where_it_goes_to_nobody_it_is_told_later(inside: Inside) -> None:
    inside.wipe(inside.device(inside.person("ana@example.com")))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        _told(inside, Carrier("ed@example.com", "it@example.com"))
    assert len(_told(inside, Carrier()).to("A wipe was ordered")) == 2


def test_no_flood_of_other_lines_hides_a_wipe(inside: Inside) -> None:
    inside.wipe(inside.device(inside.person("ana@example.com")))
    with inside.store.write() as tx:
        for n in range(3 * mailing.AT_ONCE):
            tx.post.audit(AuditLine(at=inside.now(), actor="desk", verb="lock", object=f"{n}"))
    assert len(_told(inside, Carrier()).to("A wipe was ordered")) == 2
    assert not _told(inside, Carrier()).got


def test_after_a_store_of_an_earlier_day_was_put_back_admins_hear_on(inside: Inside) -> None:
    path = inside.folders.mailed
    mark = mailing.read_mark(path)
    assert mark is not None
    # As it stood when the table was longer than it is now.
    mailing.write_mark(path, mailing.Mark(mark.told + 500, mark.at))
    inside.skew = 1_000
    inside.wipe(inside.device(inside.person("ana@example.com")))
    assert len(_told(inside, Carrier()).to("A wipe was ordered")) == 2
    assert not _told(inside, Carrier()).got


def test_who_is_made_an_admin_or_is_one_no_longer_and_the_others_hear_of_it(inside: Inside) -> None:
    """Whoever has taken an account over must not become the only one who hears."""
    inside.office.add_person("eve@example.com", "it", "IT", "")
    inside.office.add_person("ed@example.com", "office", "IT", "")
    carrier = _told(inside, Carrier())
    three = ["ed@example.com", "eve@example.com", "it@example.com"]
    assert carrier.to("Somebody is an admin no longer") == three
    assert "it@example.com" in carrier.to("Somebody was made an admin")


def test_an_account_of_the_console_is_not_opened_or_closed_in_silence(inside: Inside) -> None:
    inside.office.gate.invite("ed@example.com")
    inside.office.console_revoke("ed@example.com")
    carrier = _told(inside, Carrier())
    for subject in ("was invited to the console", "account of the console was closed"):
        assert carrier.to(subject) == ["ed@example.com", "it@example.com"]
