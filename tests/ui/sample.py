"""Sample records for pictures and journeys: invented companies in English and Chinese, days near today."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.store import lists, records
from app.store.store import Store
from sync.protocol.kinds import KINDS

FIRST = "上海恒远医疗器械有限公司"
SECRET_WORDS = (
    FIRST,
    "Acme Corporation",
    "陈立新",
    "Analyser line 2",
    "138 0013 5678",
    "Betatech",
    "Send quote",
)

# name, industry, city, stage, amount of an open deal and its currency
CUSTOMERS: tuple[tuple[str, str, str, str, int, str], ...] = (
    (FIRST, "医疗器械", "上海", "customer", 680_000, "CNY"),
    ("Acme Corporation", "Technology", "Seattle", "customer", 42_300, "USD"),
    ("Betatech", "Medical", "Boston", "prospect", 12_900, "USD"),
    ("Bioholding", "Medical", "Philadelphia", "customer", 9_100, "USD"),
    ("Cancity", "Retail", "Chicago", "lead", 0, "USD"),
    ("Codehow", "Software", "Austin", "prospect", 31_750, "USD"),
    ("深圳市博泰电子科技", "电子", "深圳", "customer", 95_000, "CNY"),
    ("Condax", "Medical", "Denver", "former", 4_200, "USD"),
    ("Dalttechnology", "Software", "Houston", "lead", 0, "USD"),
    ("Domzoom", "Entertainment", "Miami", "customer", 2_480, "USD"),
    ("Donquadtech", "Technology", "Dallas", "prospect", 15_000, "USD"),
    ("长风物流", "物流", "杭州", "lead", 0, "CNY"),
    ("Faxquote", "Telecom", "Phoenix", "lead", 0, "USD"),
    ("Finhigh", "Finance", "New York", "customer", 77_000, "USD"),
    ("Groovestreet", "Retail", "Portland", "prospect", 6_400, "USD"),
    ("直骨海令医疗", "骨科", "西安", "prospect", 128_000, "CNY"),
    ("Hottechi", "Technology", "San José", "customer", 18_250, "USD"),
    ("Zürcher Präzision AG", "Machinery", "Zürich", "prospect", 54_000, "CHF"),
)


def fill(store: Store, many: int = 0) -> None:
    """Write the sample; `many` more customers with plain names."""
    today = dt.datetime.now().astimezone().date()

    def on(days: int) -> str:
        return (today + dt.timedelta(days=days)).isoformat()

    with records.batch(store) as batch:
        ids = [
            batch.add(
                KINDS["customer"],
                {
                    "name": name,
                    "industry": industry,
                    "stage": stage,
                    "address": {"city": city},
                    "source": "Trade fair",
                },
            ).id
            for name, industry, city, stage, _amount, _currency in CUSTOMERS
        ]
        for at, (_n, _i, _c, _s, amount, currency) in enumerate(CUSTOMERS):
            if amount and at:
                batch.add(
                    KINDS["deal"],
                    {
                        "name": f"Service contract {at}",
                        "customer": ids[at],
                        "stage": "engaging",
                        "amount": {"minor": amount * 100, "currency": currency},
                        "close_on": on(at * 3),
                        "engaged_on": on(-at * 5),
                    },
                )
        _first(batch, ids[0], on)
        for at in range(many):
            batch.add(KINDS["customer"], {"name": f"Customer {at:05}", "industry": "Retail"})


def _first(batch: records.Batch, customer: bytes, on: Any) -> None:
    """Everything around the first customer."""
    add = batch.add
    batch.edit(
        customer,
        {
            "phones": [
                {"label": "work", "value": "+86 21 5080 1234"},
                {"label": "mobile", "value": "138 0013 5678"},
            ],
            "emails": [{"label": "work", "value": "chen@hengyuan.example"}],
            "websites": [{"label": "main", "value": "https://hengyuan.example"}],
            "address": {
                "street": "浦东新区张江路 100 号",
                "city": "上海",
                "postcode": "201203",
                "country": "中国",
            },
            "tags": ["Tier A"],
            "number": "C-1042",
            "employees": 420,
            "notes": "Wants offers in Chinese and English.",
        },
    )
    person = add(
        KINDS["contact"],
        {
            "name": "陈立新",
            "customer": customer,
            "role": "采购总监",
            "phones": ["138 0013 5678"],
            "emails": ["chen@hengyuan.example"],
        },
    ).id
    add(KINDS["contact"], {"name": "王芳", "customer": customer, "role": "Laboratory head"})
    add(KINDS["contact"], {"name": "Michael Brown", "customer": customer, "role": "Finance"})
    _around(batch, customer, person, on)


def _around(batch: records.Batch, customer: bytes, person: bytes, on: Any) -> None:
    """Deals and tasks of the first customer, and what happened with it."""
    add = batch.add
    product = add(
        KINDS["product"],
        {
            "name": "Analyser A2",
            "series": "Analysers",
            "code": "A2-100",
            "price": {"minor": 6_800_000, "currency": "CNY"},
            "active": True,
        },
    ).id
    for name, stage, amount, close in (
        ("Analyser line 2", "negotiation", 680_000, 20),
        ("Consumables 2027", "proposal", 95_000, 45),
        ("Analyser line 1", "won", 540_000, -200),
    ):
        add(
            KINDS["deal"],
            {
                "name": name, "customer": customer, "product": product, "stage": stage, "close_on": on(close),
                "engaged_on": on(close - 60), "amount": {"minor": amount * 100, "currency": "CNY"},
            },
        )  # fmt: skip
    for subject, due in (("Send quote", -1), ("Call Dr Chen", 2), ("交付培训资料", 9)):
        add(KINDS["task"], {"subject": subject, "customer": customer, "due": on(due)})
    _happened(batch, customer, person, on)


def _happened(batch: records.Batch, customer: bytes, person: bytes, on: Any) -> None:
    """Activities and a consent."""
    add = batch.add
    zone = "Asia/Shanghai"
    for days, kind, subject, about in (
        (
            -1,
            "visit",
            "demo of the new analyser",
            "Dr Chen wants the service contract priced separately. Quote to follow by Friday.",
        ),
        (-5, "call", "deal moved to negotiation", "Budget is approved for this year."),
        (-8, "email", "招标文件", "三个文件已发送,等待对方确认。"),
        (-20, "meeting", "first meeting at the trade fair", ""),
    ):
        at = int((dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).timestamp() * 1000)
        add(
            KINDS["activity"],
            {
                "subject": subject,
                "type": kind,
                "customer": customer,
                "contact": person,
                "about": about,
                "at": {"at": at, "zone": zone},
            },
        )
    add(
        KINDS["consent"],
        {
            "purpose": "news",
            "status": "given",
            "customer": customer,
            "contact": person,
            "basis": "consent",
            "given_on": on(-30),
            "ends_on": on(12),
        },
    )


def plan(store: Store) -> None:
    """A day with something on it: visits and tasks of today and the next days, and a deal whose day has gone."""
    today = dt.datetime.now().astimezone().date()
    names = {record.title: record.id for record in lists.page(store, KINDS["customer"], limit=500).records}
    with records.batch(store) as batch:
        for days, hour, type_, subject, customer in (
            (0, 0, "call", "Confirm delivery date", "Acme Corporation"),
            (0, 23, "visit", "验收新分析仪", FIRST),
            (1, 9, "meeting", "Yearly review", "Zürcher Präzision AG"),
            (3, 14, "visit", "Show the new catalogue", "Betatech"),
        ):
            day = today + dt.timedelta(days=days)
            at = dt.datetime(day.year, day.month, day.day, hour, 30 if hour else 1).astimezone()
            batch.add(
                KINDS["activity"],
                {
                    "subject": subject, "type": type_, "customer": names[customer], "minutes": 1,
                    "at": {"at": round(at.timestamp() * 1000), "zone": "UTC"},
                },
            )  # fmt: skip
        for subject, days, customer, priority in (
            ("Sign the service contract", -6, "Betatech", "high"),
            ("Order samples", 0, "Bioholding", "normal"),
            ("Prepare the trade fair", 5, "Codehow", "normal"),
        ):
            due = (today + dt.timedelta(days=days)).isoformat()
            values = {"subject": subject, "due": due, "customer": names[customer], "priority": priority}
            batch.add(KINDS["task"], values)
        batch.add(
            KINDS["deal"],
            {
                "name": "Spare parts 2026", "customer": names["Finhigh"], "stage": "negotiation",
                "close_on": (today - dt.timedelta(days=9)).isoformat(),
                "amount": {"minor": 7_700_000, "currency": "USD"},
            },
        )  # fmt: skip


def first_id(store: Store) -> bytes:
    """The id of the first customer."""
    return lists.page(store, KINDS["customer"], where={"name": FIRST}).records[0].id


def edit_first(store: Store, values: dict[str, Any]) -> None:
    """Edit the first customer."""
    records.edit(store, first_id(store), values)
