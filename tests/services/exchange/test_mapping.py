"""Headings of other programs find their kind and fields; what finds none is listed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from app.services.exchange.export import headings
from app.services.exchange.headings import Column, meaning
from app.services.exchange.mapping import choose, map_columns
from app.services.exchange.read import Table, read, read_bytes
from sync.protocol.kinds import KINDS, Kind

CUSTOMER, CONTACT, DEAL, PRODUCT = (KINDS[name] for name in ("customer", "contact", "deal", "product"))


def place(kind: Kind, heading: str) -> str:
    """A heading's field, part and label in one word: `phones:home`, `address.city`."""
    return told(meaning(kind, 0, heading))


def told(column: Column) -> str:
    name = column.field.name if column.field is not None else ""
    return name + (f".{column.part}" if column.part else "") + (f":{column.label}" if column.label else "")


def table(name: str, *names: str) -> Table:
    row = ",".join(f"v{n}" for n in range(len(names)))
    return read_bytes((",".join(names) + f"\n{row}\n").encode(), name)


@pytest.mark.parametrize(
    ("kind", "heading", "expected"),
    [
        (CUSTOMER, "customerID", "number"),
        (CUSTOMER, "Company Name", "name"),
        (CUSTOMER, "客户名称", "name"),
        (CUSTOMER, "year_established", "founded"),
        (CUSTOMER, "Work Phone", "phones:work"),
        (CUSTOMER, "fax", "phones:fax"),
        (CUSTOMER, "Home Phone 2", "phones:home"),
        (CUSTOMER, "手机", "phones:mobile"),
        (CUSTOMER, "E-mail 2 Address", "emails"),
        (CUSTOMER, "Website Home Page", "websites"),
        (CUSTOMER, "postalCode", "address.postcode"),
        (CUSTOMER, "Billing State/Province", "address.region"),
        (CUSTOMER, "Address 1 - City", "address.city"),
        (CUSTOMER, "property_annualrevenue", "revenue"),
        (CUSTOMER, "Annual revenue (EUR)", "revenue"),
        (CUSTOMER, "revenue_usd", "revenue"),
        (CUSTOMER, "Revenue in USD", "revenue"),
        (CUSTOMER, "Annual Revenue Currency", "revenue.currency"),
        (CUSTOMER, "Currency", ".currency"),
        (CUSTOMER, "Is a company", "type"),
        (CUSTOMER, "_fivetran_synced", ""),
        (CONTACT, "Given Name", "name.first"),
        (CONTACT, "lastName", "name.last"),
        (CONTACT, "Organization 1 - Name", "customer"),
        (CONTACT, "Organization - Name", "customer"),
        (CONTACT, "Person - Email", "emails"),
        (CONTACT, "E-mail 1 - Type", "emails.label"),
        (CONTACT, "Phone 1 - Value", "phones"),
        (CONTACT, "Assistant's Phone", ""),
        (CONTACT, "Phone 1 Name", ""),
        (CONTACT, "Mailing City", ""),
        (DEAL, "opportunity_id", "number"),
        (DEAL, "close_value", "amount"),
        (DEAL, "deal_pipeline_id", ""),
        (DEAL, "Deal - Title", "name"),
        (PRODUCT, "quantityPerUnit", "unit"),
        (PRODUCT, "productID", ""),
    ],
)  # fmt: skip
def test_what_a_heading_means(kind: Kind, heading: str, expected: str) -> None:
    assert place(kind, heading) == expected


def test_a_currency_in_a_heading_is_kept() -> None:
    assert meaning(CUSTOMER, 0, "Revenue (€)").currency == "EUR"
    assert meaning(DEAL, 0, "Amount USD").currency == "USD"
    assert meaning(DEAL, 0, "amount_eur").currency == "EUR"
    assert meaning(DEAL, 0, "Amount VIP").field is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_our_own_headings_find_their_fields(kind: Kind) -> None:
    """A field added to the table is exported and imported with no other line."""
    mapping = map_columns(kind, table("export.csv", *headings(kind)))
    assert not mapping.unmapped
    assert not mapping.doubled
    assert {c.field.name for c in mapping.columns if c.field is not None} == set(kind.by_name)
    assert choose(table("anything.csv", *headings(kind))).mapping is not None


HEADERS = {
    ("HubSpot", "contacts"): CONTACT, ("HubSpot", "companies"): CUSTOMER, ("HubSpot", "deals"): DEAL,
    ("Salesforce", "contacts report"): CONTACT, ("Pipedrive", "persons"): CONTACT, ("Jobber", "clients"): CONTACT,
    ("Google Contacts", "contacts"): CONTACT,
}  # fmt: skip


def test_headings_of_other_programs_find_their_kind(real_data: Path) -> None:
    with (real_data / "crm_export_headers" / "headers.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 10
    for row in rows:
        found = choose(table("export.csv", *row["header_row"].split(","))).mapping
        assert found is not None, row
        assert found.kind is HEADERS[row["product"], row["object"]], row
        assert found.titled


KINDS_OF_FILES = {
    "crm_maven_sales/accounts.csv": "customer",
    "crm_maven_sales/products.csv": "product",
    "crm_maven_sales/sales_pipeline.csv": "deal",
    "crm_maven_sales/sales_teams.csv": "people",
    "crm_maven_sales/data_dictionary.csv": "unknown",  # the plan sees that it describes the others
    "crm_northwind/customers.csv": "customer",
    "crm_northwind/products.csv": "product",
    "crm_northwind/employees.csv": "people",
    "crm_northwind/suppliers.csv": "suppliers",
    "crm_northwind/orders.csv": "unknown",
    "crm_northwind/order-details.csv": "unknown",
    "crm_northwind/categories.csv": "unknown",
    "crm_hubspot_seeds/company_data.csv": "customer",
    "crm_hubspot_seeds/contact_data.csv": "contact",
    "crm_hubspot_seeds/deal_data.csv": "deal",
    "crm_hubspot_seeds/engagement_meeting_data.csv": "activity",
    "crm_hubspot_seeds/company_property_history_data.csv": "log",
    "crm_hubspot_seeds/contact_list_data.csv": "unknown",
    "crm_hubspot_seeds/ticket_data.csv": "unknown",
    "crm_hubspot_seeds/owner_data.csv": "people",
    "crm_odoo_templates/res.partner.csv": "customer",
    "crm_odoo_templates/o2m_customers_contacts.csv": "customer",
    "vcard_roundcube_csv/tests/src/Csv2vcard/gmail.csv": "contact",
    "vcard_roundcube_csv/tests/src/Csv2vcard/tb_plain.csv": "contact",
    "vcard_roundcube_csv/tests/src/Csv2vcard/all.csv": "contact",
    "vcard_roundcube_csv/tests/src/Csv2vcard/outlook.csv": "contact",
    "csv_csvkit/foo1.csv": "unknown",
    "csv_csvkit/iris.csv": "unknown",
    "csv_messytables_horror/211.csv": "unknown",
    "csv_messytables_horror/long.csv": "unknown",
    "derived_encodings/cn_short_GBK.csv": "customer",
}


@pytest.mark.parametrize("name", KINDS_OF_FILES)
def test_real_files_find_their_kind_or_none(name: str, real_data: Path) -> None:
    found = choose(read(real_data / name))
    assert (found.mapping.kind.name if found.mapping else found.reason) == KINDS_OF_FILES[name]


def test_no_column_is_lost_without_a_word(real_data: Path) -> None:
    for name, kind in KINDS_OF_FILES.items():
        found = read(real_data / name)
        mapping = choose(found).mapping
        if mapping is None:
            assert kind not in KINDS, name
            continue
        placed = (
            [c.heading for c in mapping.columns] + [*mapping.unmapped] + [h for h, _kept in mapping.doubled]
        )
        assert sorted(placed) == sorted(h for h in found.headings if h), name


def test_a_kind_that_a_person_names_decides() -> None:
    employees = table("employees.csv", "First Name", "Last Name", "Home Phone")
    assert choose(employees).reason == "people"
    forced = choose(employees, kind=CONTACT).mapping
    assert forced is not None
    assert [told(column) for column in forced.columns] == ["name.first", "name.last", "phones:home"]
    assert choose(table("x.csv", "Colour", "Size"), kind=PRODUCT).reason == "untitled"


def test_two_columns_for_one_field_the_nearer_one_wins() -> None:
    mapping = map_columns(DEAL, table("deals.csv", "Subject", "Deal Name", "Amount"))
    assert mapping.doubled == (("Subject", "Deal Name"),)


def test_a_filled_column_goes_before_an_empty_one() -> None:
    found = read_bytes(b"Deal Name,Subject,Amount\n,Spring order,5\n", "deals.csv")
    assert map_columns(DEAL, found).doubled == (("Deal Name", "Subject"),)


def test_region_is_part_of_an_address_only_beside_one() -> None:
    alone = map_columns(CUSTOMER, table("c.csv", "Name", "Region", "Industry"))
    beside = map_columns(CUSTOMER, table("c.csv", "Name", "Region", "City"))
    assert [told(c) for c in alone.columns] == ["name", "territory", "industry"]
    assert [told(c) for c in beside.columns] == ["name", "address.region", "address.city"]


def test_of_two_addresses_the_filled_one_that_counts_more_is_taken() -> None:
    text = b"Name,Billing City,Shipping City,Shipping Country\nA,,Ulm,Germany\n"
    shipped = map_columns(CUSTOMER, read_bytes(text, "c.csv"))
    assert shipped.unmapped == ("Billing City",)
    both = map_columns(CUSTOMER, read_bytes(text.replace(b"A,,", b"A,Bonn,"), "c.csv"))
    assert both.unmapped == ("Shipping City", "Shipping Country")


def test_kinds_that_fit_alike_are_asked_for() -> None:
    found = choose(table("list.csv", "Name", "Notes"))
    assert (found.mapping, found.reason) == (None, "ambiguous")
