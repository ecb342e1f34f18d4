"""Ids rise, are their kind of UUID, and have one spelling each."""

from __future__ import annotations

import threading
import uuid

import pytest

from sync.protocol import ids

NOW = 1_795_357_800_000


@pytest.fixture(autouse=True)
def _maker_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids made ahead of time here must not put those of other tests ahead of their clock."""
    monkeypatch.setattr(ids, "_MAKER", type(ids._MAKER)())


def test_a_record_id_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    made = uuid.UUID(bytes=bytes(ids.new_record_id(NOW)))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == NOW


def test_ids_of_one_millisecond_rise() -> None:
    made = [ids.new_record_id(NOW) for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_rise_when_the_clock_goes_back() -> None:
    later = ids.new_record_id(2 * NOW)
    assert ids.new_record_id(NOW) > later


def test_ids_made_in_several_threads_differ() -> None:
    made: list[bytes] = []

    def make() -> None:
        made.extend([ids.new_record_id(NOW) for _ in range(500)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2_000


def test_random_ids_have_their_sizes_and_differ() -> None:
    assert len(ids.new_device_id()) == ids.ID_BYTES
    assert len(ids.new_person_id()) == ids.ID_BYTES
    assert len(ids.new_incarnation()) == ids.INCARNATION_BYTES
    assert len(bytes.fromhex(ids.new_element_id())) == ids.ELEMENT_BYTES
    assert ids.new_device_id() != ids.new_device_id()
    assert ids.new_element_id() != ids.new_element_id()


def test_an_id_is_read_back_however_it_is_written() -> None:
    made = ids.new_record_id()
    text = ids.id_text(made)
    assert ids.parse_id(text) == ids.parse_id(f" {text.replace('-', '').upper()}\n") == made


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "0" * 31, "0" * 33, "g" * 32, "1_" * 16, "+" + "1" * 31, "{" + "1" * 32 + "}",
        "urn:uuid:" + "1" * 32, "\u0661" * 32, "1" * 16 + "-" + "1" * 16, "00000000-0000-0000-00000000-00000000",
    ],
)  # fmt: skip
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ids.parse_id(text)
