"""Signed documents are read strictly: what two readers could read differently is refused before use."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from sync.protocol import documents, strict
from sync.protocol.documents import Document, Lease, Order, Policy, Receipt, Root
from sync.protocol.errors import Refused
from tests.protocol.authority import LAPTOP, NOW, ORG, Authority

AUTHORITY = Authority()
EVERY: list[Document] = [
    AUTHORITY.root(),
    AUTHORITY.policy(rules=[{"signal": "version", "op": "<", "value": "1", "action": "warn"}]),
    AUTHORITY.lease(),
    AUTHORITY.order(),
    AUTHORITY.receipt(),
]
POLICY = {"type": "policy", "v": 1, "version": 3, "org": ORG, "issued": NOW, "expires": NOW + 1}


def _policy(**changed: Any) -> bytes:
    return json.dumps({**POLICY, **changed}).encode()


@pytest.mark.parametrize("document", EVERY, ids=lambda each: each.TYPE)
def test_a_document_is_read_back(document: Document) -> None:
    payload = document.to_bytes()
    again = documents.parse(payload, type(document))
    assert again.to_bytes() == payload
    assert (
        payload
        == json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )


@pytest.mark.parametrize("document", EVERY, ids=lambda each: each.TYPE)
def test_a_document_is_not_read_as_another(document: Document) -> None:
    for other in (Root, Policy, Lease, Order, Receipt):
        if other is not type(document):
            with pytest.raises(Refused):
                documents.parse(document.to_bytes(), other)


def test_unknown_fields_are_passed_over() -> None:
    found = documents.parse(
        _policy(from_tomorrow={"a": [1, None, True]}, offline={"lock_h": 400, "later_h": 1}), Policy
    )
    assert (found.version, found.offline.lock_h, found.offline.warn_h) == (3, 400, 336)


def test_an_unknown_field_that_matters_refuses_the_document() -> None:
    with pytest.raises(Refused) as caught:
        documents.parse(_policy(crit=["from_tomorrow"], from_tomorrow=1), Policy)
    assert caught.value.rule == "crit"
    assert documents.parse(_policy(crit=["offline"]), Policy).version == 3


HOSTILE = {
    "nothing": b"",
    "no object": b"[]",
    "a text": b'"policy"',
    "a doubled key": _policy()[:-1] + b',"version":4}',
    "a doubled key far down": _policy(x={"a": 1}).replace(b'{"a": 1}', b'{"a":1,"b":{"c":1,"c":2}}'),
    "a doubled type": b'{"type":"lock",' + _policy()[1:],
    "a key doubled by an escape": _policy()[:-1] + b',"versio\\u006e":4}',
    "NaN": _policy(x=float("nan")),
    "Infinity": _policy(x=float("inf")),
    "a float": _policy(version=3.0),
    "a float far down": _policy(x=[{"y": 1.5}]),
    "1e999": _policy(x=0).replace(b'"x": 0', b'"x":1e999'),
    "1e2": _policy(x=0).replace(b'"x": 0', b'"x":1e2'),
    "a number beyond 63 bits": _policy(version=2**63),
    "a number of a thousand digits": _policy(x=0).replace(b'"x": 0', b'"x":1' + b"0" * 1000),
    "a number of ten thousand digits": _policy(x=0).replace(b'"x": 0', b'"x":1' + b"0" * 10_000),
    "a lone surrogate": _policy(org="\ud800"),
    "a lone surrogate nobody reads": _policy(x="\udfff"),
    "a lone surrogate as a key": _policy(x={"\ud800": 1}),
    "not UTF-8": b'{"type":"policy\xff"}',
    "UTF-16": _policy().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + _policy(),
    "something behind it": _policy() + b"x",
    "two documents": _policy() * 2,
    "cut": _policy()[:-1],
    "a comment": _policy()[:-1] + b"/* */}",
    "a trailing comma": _policy()[:-1] + b",}",
    "a NUL": _policy() + b"\x00",
    "depth 17": _policy(x=0).replace(b'"x": 0', b'"x":' + b"[" * 16 + b"]" * 16),
    "depth 10,000": _policy(x=0).replace(b'"x": 0', b'"x":' + b"[" * 10_000 + b"]" * 10_000),
    "depth 10,000 of objects": _policy(x=0).replace(
        b'"x": 0', b'"x":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    ),
    "unclosed depth": b'{"x":' + b"[" * 60_000,
    "another type": _policy(type="order"),
    "another v": _policy(v=2),
    "a text for a number": _policy(version="3"),
    "a truth for a number": _policy(version=True),
    "null for a number": _policy(version=None),
    "a number for a text": _policy(org=5),
    "a list for an object": _policy(offline=[]),
    "a text for crit": _policy(crit="offline"),
    "no version": json.dumps({k: v for k, v in POLICY.items() if k != "version"}).encode(),
    "no type": json.dumps({k: v for k, v in POLICY.items() if k != "type"}).encode(),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_document_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused) as caught:
        documents.parse(payload, Policy)
    assert caught.value.title


def test_depth_16_is_read() -> None:
    payload = _policy(x=0).replace(b'"x": 0', b'"x":' + b"[" * 15 + b"]" * 15)
    assert documents.parse(payload, Policy).version == 3


def test_ten_megabytes_are_refused_unread() -> None:
    payload = _policy(x="y" * 10 * 2**20)
    tracemalloc.start()
    try:
        began = time.process_time()
        with pytest.raises(Refused) as caught:
            documents.parse(payload, Policy)
        assert time.process_time() - began < 0.1
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert caught.value.rule == "size"


def _suite(real_data: Path, kind: str) -> list[Path]:
    return sorted((real_data / "json_testsuite" / "test_parsing").glob(f"{kind}_*.json"))


def test_json_that_is_none_is_refused_whatever_is_wrong_with_it(real_data: Path) -> None:
    files = _suite(real_data, "n")
    assert len(files) > 90
    for file in files:
        with pytest.raises(Refused):
            strict.scan(file.read_bytes())


def test_json_on_which_readers_differ_ends_in_an_answer(real_data: Path) -> None:
    """Some is read and some refused; nothing else may come out of it."""
    files = [*_suite(real_data, "i"), *_suite(real_data, "y")]
    read = 0
    for file in files:
        try:
            strict.scan(b'{"x":' + file.read_bytes() + b"}")
        except Refused:
            continue
        read += 1
    assert 40 < read < len(files)


def test_a_digest_is_of_the_bytes() -> None:
    assert documents.digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert LAPTOP not in documents.digest(_policy())
