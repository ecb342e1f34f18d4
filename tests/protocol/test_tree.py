"""The tree over the audit table: known roots, and proofs that hold for what has only grown and for nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol import tree

# The entries and roots of Certificate Transparency's own tests.
ENTRIES = [
    bytes.fromhex(each)
    for each in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_roots_are_those_of_certificate_transparency() -> None:
    leaves = [tree.leaf(each) for each in ENTRIES]
    assert [tree.root(leaves[: n + 1]).hex() for n in range(8)] == ROOTS
    assert tree.root([]) == hashlib.sha256(b"").digest()


def leaves_of(count: int, salt: int = 0) -> list[bytes]:
    return [tree.leaf(b"%d %d" % (salt, n)) for n in range(count)]


def test_every_entry_is_proven_and_no_other() -> None:
    for size in range(1, 35):
        leaves = leaves_of(size)
        whole = tree.root(leaves)
        for at in range(size):
            proof = tree.inclusion(leaves, at)
            assert tree.includes(size, whole, at, leaves[at], proof)
            assert not tree.includes(size, whole, at, tree.leaf(b"other"), proof)
            assert not tree.includes(size, whole, (at + 1) % size, leaves[at], proof) or size == 1
            assert not tree.includes(size, whole, at, leaves[at], [*proof, whole])
            assert not proof or not tree.includes(size, whole, at, leaves[at], proof[:-1])


def test_growth_is_proven_from_each_size_to_each() -> None:
    for after in range(35):
        leaves = leaves_of(after)
        for before in range(after + 1):
            old, new = tree.root(leaves[:before]), tree.root(leaves)
            proof = tree.consistency(leaves, before)
            assert tree.has_grown(before, old, after, new, proof), (before, after)
            assert not tree.has_grown(before, old, after, new, [*proof, bytes(32)])
            assert not tree.has_grown(before, bytes(32), after, new, proof)
            if before < after:
                assert not tree.has_grown(after, new, before, old, proof)  # it never becomes shorter


@given(st.integers(1, 70), st.integers(1, 70), st.data())
@settings(max_examples=200, deadline=None)
def test_a_list_that_was_rewritten_has_no_proof(before: int, more: int, data: st.DataObject) -> None:
    """One old entry is another: neither its own proof nor the honest one holds against what was kept."""
    honest = leaves_of(before + more)
    bent = list(honest)
    bent[data.draw(st.integers(0, before - 1))] = tree.leaf(b"rewritten")
    kept, size = tree.root(honest[:before]), before + more
    for proof in (tree.consistency(bent, before), tree.consistency(honest, before)):
        assert not tree.has_grown(before, kept, size, tree.root(bent), proof)
    dropped = honest[:before][:-1] + honest[before:]
    assert not tree.has_grown(
        before, kept, len(dropped), tree.root(dropped), tree.consistency(dropped, before)
    ) or len(dropped) < before  # fmt: skip


@pytest.mark.parametrize("proof", [[b""], [b"x" * 31], [bytes(32)] * 129], ids=["empty", "short", "many"])
def test_rubbish_proves_nothing(proof: list[bytes]) -> None:
    leaves = leaves_of(9)
    assert not tree.has_grown(3, tree.root(leaves[:3]), 9, tree.root(leaves), proof)
    assert not tree.includes(9, tree.root(leaves), 3, leaves[3], proof)
    assert not tree.has_grown(-1, b"", 9, tree.root(leaves), [])
    assert not tree.includes(9, tree.root(leaves), -1, leaves[0], [])
