"""Copies of attachments in clear: their names, and what a kill leaves of them."""

from __future__ import annotations

import os

import pytest

from app.services import copies
from tests.road import Laptop


def test_a_copy_that_a_kill_left_goes_at_the_next_start(laptop: Laptop) -> None:
    with copies.making(laptop.profile, "left.pdf", bytes(32)) as (copy, handle):
        os.write(handle, b"in clear")
        os.close(handle)
    assert copy.exists()
    assert laptop.ask("status").code == 0
    assert not copy.exists()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("offer.pdf", "offer.pdf"), ("../../.bashrc", "_.._.bashrc"), ("a/b\\c.png", "a_b_c.png"), ("", "attachment"),
        ("..", "attachment"), ("合同.docx", "合同.docx"), ("x" * 300 + ".pdf", "x" * 120 + ".pdf"),
        ("合" * 300 + ".pdf", "合" * 40 + ".pdf"), ("no ending", "no ending"), ("a\0b\n.txt", "a_b_.txt"),
    ],
)  # fmt: skip
def test_whatever_a_colleague_called_it_it_is_one_name(title: str, name: str) -> None:
    assert copies.name_of(title) == name
    assert "/" not in copies.name_of(title)
