"""How long a PIN holds is reckoned in a process of its own, and said so that nobody takes it for more than it is."""

from __future__ import annotations

import os

import pytest

from app.keys.secret import SecretBytes
from app.services.strength import OBVIOUS, Meter, tries_of
from app.viewmodels.pin import words_of


@pytest.mark.parametrize("obvious", ["123456", "password", "qwerty", "111111", "abc123"])
def test_what_everybody_chooses_is_no_pin(obvious: str) -> None:
    assert tries_of(obvious) < OBVIOUS
    assert words_of(tries_of(obvious)).startswith("This is among the first")


def test_it_is_asked_letter_by_letter_and_ends_with_its_process() -> None:
    meter = Meter()
    try:
        with SecretBytes("密码 am see".encode()) as pin:
            assert meter.tries(pin) == tries_of("密码 am see")
        with SecretBytes(b"") as nothing:
            assert meter.tries(nothing) == 0
        with SecretBytes(b"x" * 512) as long:
            assert meter.tries(long) is not None
        process = meter._process
    finally:
        meter.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    with SecretBytes(b"x") as pin:
        assert meter.tries(pin) is None, "where nobody reckons, nothing is said"


@pytest.mark.parametrize(
    ("tries", "said"),
    [
        (999, "among the first"),
        (1_000_000, "in 24 minutes"),
        (10**8, "in 40 hours"),
        (10**10, "in 165 days"),
        (10**12, "in 45 years"),
        (10**15, "Strong"),
    ],
)
def test_how_long_it_holds(tries: int, said: str) -> None:
    assert said in words_of(tries)
