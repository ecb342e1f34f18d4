"""Words are found as they are also written: pairs for ä and its kin, Latin letters for Cyrillic and Greek, 8 for +7."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.store import lists, narrowing, records, search, spellings, words
from app.store.filters import Asks, Condition, Filter
from app.store.store import Store
from tests.store.device import CUSTOMER
from tests.store.spelled import LETTERS, has_pair, in_latin, with_pairs


@pytest.mark.parametrize(
    ("name", "typed", "not_by"),
    [
        ("Москва", "moskva moskwa mosk mos", "mo moskau oskva"),
        ("Санкт-Петербург", "sankt peterburg peterb", "petersburg"),
        ("Щербаков", "shcherbakov scherbakov", "cherbakov"),
        ("Хрущёв", "khrushchev hruscev khrushchyov", "krushchev"),
        ("Татьяна", "tatyana tatiana tatjana", "tatana"),
        ("Достоевский", "dostoevsky dostoevskiy dostoyevskij", "dostaev"),
        ("Київ", "kyiv kyyiv kiiv", "kiev"),
        ("Љубица Ђорђевић", "ljubica djordjevic dordevic", "jubica"),
        ("Қазақстан", "qazaqstan kazakstan", "kasachstan"),
        ("България", "balgariya blgaria", "bolgaria"),
        ("Θεσσαλονίκη", "thessaloniki thessalonikh", "saloniki"),
        ("Αυγούστου", "avgoustou augustou", "august9"),
        ("Müller", "mueller müller muller muell MUELLER", "muel7 mueler"),
        ("Mueller", "müller mueller müll", "muller mull"),
        ("Köln", "koeln köln koln", "koel"),
        ("Århus Ølgod", "aarhus olgod oelgo århus", "oerhus"),
        ("Straße", "strasse straße", "strase"),
    ],
)
def test_a_word_is_found_as_it_is_also_written(store: Store, name: str, typed: str, not_by: str) -> None:
    with records.batch(store) as batch:
        named = batch.add(CUSTOMER, {"name": name, "notes": "Plain"})
        there = batch.add(CUSTOMER, {"name": "Plain", "address": {"city": name}})
        batch.add(CUSTOMER, {"name": "Plain", "notes": f"Muster {name}" if "," in name else None})
    shape = store.shapes["customer"]
    for each in typed.split():
        found = {hit.record.id: hit.fields for hit in search.find(store, each)}
        assert found == {named.id: ("name",), there.id: ("address",)}, each
        assert len(narrowing.scan(store, shape, Filter(words=each), 1, 100)) == 2, each
        in_field = Filter((Condition("address", Asks.HAS, (each,)),))
        assert [record.id for record in lists.page(store, CUSTOMER, where=in_field).records] == [there.id], (
            each
        )
    for each in not_by.split():
        assert not search.find(store, each), each


def test_notes_have_their_own_spelling_alone(store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Plain", "notes": "Москва, Söhne"})
    for typed in ("moskva", "soehne"):
        assert not search.find(store, typed), typed
    for typed in ("москва", "söhne", "sohne"):
        assert search.find(store, typed), typed


@settings(max_examples=400, deadline=None)
@given(
    word=st.text("".join(letter for letter in LETTERS if len(letter) == 1), max_size=7),
    typed=st.text("aeiouyjhkscztrvw", min_size=3, max_size=8),
)
def test_a_word_begins_as_one_of_the_ways_in_which_it_is_written(word: str, typed: str) -> None:
    ways = in_latin(word)
    begun = [
        typed,
        *(way[:length] for way in sorted(ways)[:3] for length in (3, 5, len(way)) if len(way) >= 3),
    ]
    for each in begun:
        wanted = any(way.startswith(each) for way in ways)
        assert bool(spellings.reach(word, each)) is wanted, each
        found = spellings.beginnings(each, lambda begin: word.startswith(begin))
        assert bool(found) is wanted, each


@settings(max_examples=400, deadline=None)
@given(word=st.text("aoueäöüåøbÄ", max_size=9), typed=st.text("aouebäöü", min_size=1, max_size=12))
def test_whatever_is_written_with_pairs_is_asked_of_the_index(word: str, typed: str) -> None:
    folded, in_pairs = words.fold(word), words.fold(with_pairs(word))
    assert words.fold(spellings.with_pairs(word)) == in_pairs
    question = words.query(typed)
    (term,) = question.terms
    forms = {term, words.fold(with_pairs(typed)) or term}
    assert set(question.forms(term)) == forms
    wanted = any(folded.startswith(form) or (has_pair(form) and in_pairs.startswith(form)) for form in forms)
    assert bool(words.matched_fields(CUSTOMER, {"name": word}, question)) is bool(word and wanted)
    if wanted:
        asked = [each for form in forms for each in (form, *spellings.bare(form))]
        assert any(folded.startswith(each) for each in asked)


def test_many_pairs_are_asked_in_bounded_words() -> None:
    for typed in ("ae" * 90, "aaee" * 40, "oeaeueaa" * 20):
        assert len(spellings.bare(typed)) <= 2**spellings.PAIRS
