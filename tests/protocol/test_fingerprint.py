"""Words by which people compare an organisation: readable, and others for another root."""

from __future__ import annotations

import re
import secrets

from sync.protocol.fingerprint import words_of


def test_the_words_are_those_that_anybody_makes_of_these_bits() -> None:
    """By the published table of pronounceable identifiers."""
    assert words_of("7f000001" + "3f54dcc1" + "d8be" + "0" * 44) == "lusab-babad-gutih-tugad-tofuv"


def test_each_can_be_read_out_and_another_root_has_others() -> None:
    seen = {words_of(secrets.token_hex(32)) for _each in range(200)}
    assert len(seen) == 200
    for each in seen:
        assert re.fullmatch(
            r"([bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]-?){5}", each
        )


def test_every_bit_of_the_first_eighty_counts() -> None:
    digest = "00" * 32
    others = {words_of(f"{int(digest, 16) | 1 << 255 - bit:064x}") for bit in range(80)}
    assert len(others) == 80
    assert words_of(digest) not in others
