"""Phone numbers are found however they and the question are written, e-mail addresses by each of their parts."""

from __future__ import annotations

import pytest

from app.store import narrowing, records, search
from app.store.filters import Filter
from app.store.store import Store
from tests.store.device import CONTACT, CUSTOMER


@pytest.mark.parametrize(
    "kept", ["+86 21 5080-1234", "0086 (21) 50801234", "(021) 50801234", "021-5080 1234"]
)
def test_a_phone_is_found_in_every_notation(store: Store, kept: str) -> None:
    with records.batch(store) as batch:
        made = batch.add(CUSTOMER, {"name": "Called", "phones": [kept]})
        batch.add(CUSTOMER, {"name": "Not called", "phones": ["+86 10 5081 1234", "+1 215 081 1235"]})
    for typed in (
        "+86 21 5080-1234", "+862150801234", "0086 21 5080 1234", "(021) 50801234", "021 5080 1234",
        "２１５０８０１２３４",
        "（０２１）５０８０－１２３４", "＋86\u300021\u30005080\u20131234", "+86 (0)21 5080 1234",
        "5080-1234", "50801234", "080", "801 23", "21/50801234", "٠٢١٥٠٨٠١٢٣٤",
    ):  # fmt: skip
        assert [hit.record.id for hit in search.find(store, typed)] == [made.id], typed
        shape = store.shapes["customer"]
        assert len(narrowing.scan(store, shape, Filter(words=typed), 1, 100)) == 1, typed


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("+44 (0)20 7946 0958", "+44 20 7946 0958|020 7946 0958|0044 20 7946 0958"), ("02 1234 567", "+39 02 1234567"),
        ("+1 415.555.2671", "415-555-2671|001 415 555 2671|+1 (415) 555-2671|1 415 555"), ("0351 22 123", "351 22"),
        ("+351 22 123 4567", "22 123 4567|00351 221234567|+351 (22) 1234567"), ("138 0013 8000", "+86 13800138000"),
    ],
)  # fmt: skip
def test_a_line_is_the_same_from_home_and_from_abroad(store: Store, kept: str, typed: str) -> None:
    made = records.add(store, CONTACT, {"name": "Called", "phones": [kept]})
    for each in typed.split("|"):
        assert [hit.record.id for hit in search.find(store, each)] == [made.id], each
    for other in ("+44 20 7946 0959", "4155552672", "00 12", "+86 13800138001"):
        assert not search.find(store, other), other


def test_each_part_of_an_e_mail_is_found(store: Store) -> None:
    made = records.add(
        store, CONTACT, {"name": "Wanted", "emails": ["Zhang.Wei_2+new-york@mail.Müller-gmbh.example"]}
    )
    records.add(store, CONTACT, {"name": "Other", "emails": ["wang@elsewhere.test"]})
    for typed in (
        "zhang", "wei", "2", "new", "york", "mail", "müller", "muller", "gmbh", "example", "zhan", "exam", "@mail",
        "zhang.wei", "wei_2", "+new-york", "mail.muller-gmbh.example", "ZHANG.WEI_2+NEW-YORK@MAIL.MÜLLER-GMBH.EXAMPLE",
        "zhang@mail", "zhang mail", "ｚｈａｎｇ．ｗｅｉ",
    ):  # fmt: skip
        assert [(hit.record.id, hit.fields) for hit in search.find(store, typed)] == [
            (made.id, ("emails",))
        ], typed
    assert not search.find(store, "hang@mail")


def test_the_field_that_holds_most_of_what_was_typed_is_told_first(store: Store) -> None:
    records.add(
        store, CONTACT, {"name": "Anna Smith", "emails": ["a.smith@one.example", "smith@two.example"]}
    )
    (hit,) = search.find(store, "smith")
    assert hit.fields == ("name", "emails")
    (hit,) = search.find(store, "smith@two")
    assert hit.fields == ("emails", "name")
