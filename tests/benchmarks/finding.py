"""Queries of the search box in every script: against the same query of the plain twin, and some against LIKE.

LIKE goes through every row and takes seconds whatever it is asked, so that it is asked once for each script.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from app.store import search
from app.store.store import Store
from app.viewmodels.reading import FOUND_MAX
from sync.protocol.fields import Find
from sync.protocol.kinds import Kind
from tests.benchmarks.measure import Act, Aim, at, samples_by_turns, timed
from tests.benchmarks.million import Ground

TIMES: Final = 10  # in one round
SLOW_MS: Final = 300  # a query slower than this is asked once a round

# What people type, and what it is.
QUERIES: Final = (
    ("one letter", "a"), ("two letters", "al"), ("the beginning of a name", "alderb"), ("two words", "anna smith"),
    ("two common words", "berlin gmbh"), ("an accent", "müller"), ("a word nobody has", "qzxv"),
    ("part of an e-mail", "k.mueller12"), ("a number", "C-0000777"), ("a phone", "+49 30 77"),
    ("digits inside a phone", "7760"), ("a Chinese surname", "王"), ("a Chinese name", "王芳"),
    ("a word within Chinese names", "科技"), ("a Chinese town and trade", "上海 贸易"),
    ("a long Chinese name", "北京安博科技有限公司"), ("Chinese that nobody has", "龘龘"),
    ("Cyrillic, one letter", "т"), ("Cyrillic, a name", "шевченко"), ("Cyrillic, two words", "київ техно"),
    ("Korean, one syllable", "김"), ("Korean, a trade", "전자"), ("a word of the notes", "catalogue"),
    ("two words of the notes", "french catalogue"), ("notes and town", "zürich training"),
    ("Chinese in the notes", "交货期"), ("Latin and Chinese", "上海 wang"), ("a rare letter", "x"),
    ("two digits", "77"), ("one digit", "7"), ("four digits", "1234"), ("zeros", "0000"),
    ("a postcode and a town", "10115 berlin"), ("three common words, one in the notes", "berlin schmidt training"),
    ("a common letter and notes", "s french"), ("a rare letter and notes, in no record", "x catalogue"),
    ("two letters apart", "b s"), ("a domain", "alderbach example"), ("a Chinese name by first letters", "shy"),
    ("a Chinese name as it sounds", "zhangw"), ("sounds of a town", "shanghai"),
    ("a word and a typing error", "smith qzxv"), ("letters of a mailbox", "info@"), ("a deal's number", "D-00"),
)  # fmt: skip

# One for each script is asked of LIKE, too: of what many records hold and few, at the beginning and within.
LIKED: Final = {"berlin gmbh": "Latin", "科技": "Chinese", "шевченко": "Cyrillic", "전자": "Korean"}


def measure(ground: Ground) -> list[Act]:
    """Every query against the twin, p50; one for each script against LIKE over the same fields."""
    acts: list[Act] = []
    with ground.store() as store, ground.twin() as twin:
        like = [_like(each, kind.kind) for kind in store.shapes.values() for each in (kind.table,)]
        for name, text in QUERIES:
            acts += _query(name, text, store, twin, like)
    acts.append(_first(ground))
    return acts


def _query(name: str, text: str, store: Store, twin: Store, like: list[tuple[str, int]]) -> list[Act]:
    find = partial(search.find, text=text, limit=FOUND_MAX)
    first = timed(partial(find, store))
    timed(partial(find, twin))
    times = TIMES if first < SLOW_MS else 1
    mine, other = samples_by_turns(
        lambda: [timed(partial(find, store)) for _time in range(times)],
        lambda: [timed(partial(find, twin)) for _time in range(times)],
        5 if times > 1 else 2,
    )
    found = len(find(store))
    assert found == len(find(twin))
    said = f"“{text}”, {found} found" + (
        f", first time {first:.0f} ms" if first > 2 * at(mine, 0.5) + 2 else ""
    )
    acts = [Act(f"search: {name}", at(mine, 0.5), at(other, 0.5), Aim(ratio=1.5), note=said)]
    if text in LIKED:
        scan = timed(partial(_scan, twin, text, like))
        note = f"{LIKED[text]}, “{text}”"
        acts.append(
            Act(f"search against plain LIKE: {name}", at(mine, 0.5), scan, Aim(ratio=0.001), note=note)
        )
    return acts


def _like(table: str, kind: Kind) -> tuple[str, int]:
    """The plain scan for one term over every searched field, by name, and how often the term is bound."""
    fields = [f'"{field.name}"' for field in kind.fields if field.find is not Find.NO]
    any_of = " OR ".join(f"{name} LIKE ?" for name in fields)
    return f'SELECT _rowid FROM "{table}" WHERE _deleted = 0 AND ({any_of}) ORDER BY _key LIMIT 200', len(
        fields
    )


def _scan(twin: Store, text: str, like: list[tuple[str, int]]) -> list[Any]:
    """What a program without an index does; several words as one text, which is its quickest case."""
    return [twin.db.all(sql, (f"%{text}%",) * count) for sql, count in like]


def _first(ground: Ground) -> Act:
    """The first query after opening, when no page of the index is in the store's own cache."""

    def ours() -> list[float]:
        with ground.store() as store:
            return [timed(partial(search.find, store, "alderb", limit=FOUND_MAX))]

    def twin() -> list[float]:
        with ground.twin() as store:
            return [timed(partial(search.find, store, "alderb", limit=FOUND_MAX))]

    mine, other = samples_by_turns(ours, twin)
    return Act("search: the first query after opening", at(mine, 0.5), at(other, 0.5), Aim(most=16))
