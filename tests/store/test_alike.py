"""Which records are taken for one, and above all which are not: a wrong mark costs trust."""

from __future__ import annotations

from typing import Any

import pytest

from app.store import alike


def _company(name: str, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"name": name, "type": "company"}
    for field in ("phones", "emails", "websites"):
        if field in more:
            values[field] = [{"id": "0" * 16, "label": "", "value": more.pop(field)}]
    return {**values, **more}


def _person(name: str, **more: Any) -> dict[str, Any]:
    return {**_company(name, **more), "type": "person"}


def _why(one: dict[str, Any], other: dict[str, Any], kind: str = "customer") -> str:
    first, second = alike.said_of(kind, one), alike.said_of(kind, other)
    said = alike.why(first, second)
    assert said == alike.why(second, first)
    if said:
        assert set(alike.keys(kind, first)) & set(alike.keys(kind, second)), (
            "no key leads from one to the other"
        )
    return said


BERLIN, MUNICH = {"city": "Berlin", "street": "Kaiserstr. 5"}, {"city": "München", "street": "Am Markt 1"}


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (_company("Müller & Söhne GmbH"), _company("Mueller Soehne GmbH & Co. KG"), "name"),
        (_company("Blue Harbour, Inc."), _company("BLUE HARBOUR"), "name"),
        (_company("Zeiß AG", address=BERLIN), _company("Zeiss", address={"city": "berlin"}), "name"),
        (_company("深圳市大疆创新科技有限公司"), _company("深圳市大疆创新科技"), "name"),
        (_company("臺灣積體電路製造股份有限公司"), _company("臺灣積體電路製造"), "name"),
        (_company("トヨタ自動車株式会社"), _company("トヨタ自動車"), "name"),
        (_company("Nordlicht", phones="+49 30 5550 123"), _company("Nordlicht Kräne", phones="(030) 5550123"), "phone"),
        (_company("Nordlicht", tax_number="DE 811 569 869"), _company("Nordlicht KG", tax_number="DE811569869"), "tax"),
        (_company("Acmeware", websites="https://www.acme.example/en"), _company("Acmewere", websites="acme.example"),
         "website"),
        (
            _company("Kranbau Nord", address=BERLIN),
            _company("Kranbau Nord West", address={"city": "Berlin", "street": "Kaiserstraße 5"}),
            "address",
        ),
        (_person("Anna Schmidt", emails="a@example.com"), _person("Schmidt, Anna", emails="A@Example.com"), "email"),
        (_person("张伟", phones="138 0013 8000"), _person("张伟", phones="+86 13800138000"), "phone"),
    ],
)  # fmt: skip
def test_one_customer_written_twice(one: dict[str, Any], other: dict[str, Any], why: str) -> None:
    assert _why(one, other) == why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_person("Li Wei"), _person("Li Wei")),  # a name is no person
        (_person("Anna Schmidt", phones="+49 30 5550123"), _person("Otto Schmidt", phones="+49 30 5550123")),
        (_person("John Smith", address=BERLIN, phones="030 5550123"),
         _person("John Smith", address=BERLIN, phones="030 7770123")),
        (_company("Hotel Adler", address=BERLIN), _company("Hotel Adler", address=MUNICH)),
        (_company("Filiale 2", phones="030 5550123"), _company("Filiale 3", phones="030 5550123")),
        (_company("Little Tykes I", address=BERLIN), _company("Little Tykes II", address=BERLIN)),
        (_company("Nordlicht", tax_number="DE811569869"), _company("Nordlicht", tax_number="DE123456789")),
        (_company("Nordlicht", number="K-1"), _company("Nordlicht", number="K-2")),
        (_company("Anna", emails="anna@gmail.com"), _company("Anne Ltd", emails="info@gmail.com")),
        (_company("中国银行上海分行"), _company("中国银行北京分行")),
        (_company("华为技术有限公司", phones="0755 28780808"), _company("华为终端有限公司", phones="0755 28780808")),
        (_company("GmbH"), _company("Inc.")),
        (_company("Bayer", address=BERLIN), _person("Bayer", address=BERLIN)),
    ],
)  # fmt: skip
def test_two_that_look_alike_are_two(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert _why(one, other) == ""


def test_contacts_of_one_name_at_one_customer() -> None:
    customer, elsewhere = b"c" * 16, b"d" * 16
    anna = {"name": "Anna Schmidt", "customer": customer}
    assert _why(anna, dict(anna), "contact") == "company"
    assert _why(anna, {**anna, "customer": elsewhere}, "contact") == ""
