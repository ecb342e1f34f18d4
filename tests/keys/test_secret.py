"""A secret is never printed, copied or pickled, and is gone once wiped."""

from __future__ import annotations

import copy
import logging
import pickle

import pytest

from app.keys.secret import SecretBytes, wipe_buffer

PLAIN = bytes.fromhex("00ff10a7") + b"not for anybody's eyes......"


def test_it_is_redacted_however_it_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    secret = SecretBytes(PLAIN)
    with caplog.at_level(logging.DEBUG, "app"):
        logging.getLogger("app").debug("%s %r", secret, [secret])
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr({"k": secret}), caplog.text]
    assert all("<redacted>" in text for text in shown)
    assert not any("eyes" in text or PLAIN.hex() in text for text in shown)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(SecretBytes(PLAIN), protocol)


def test_it_is_not_copied() -> None:
    for way in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            way(SecretBytes(PLAIN))


def test_it_takes_a_bytearray_over_so_that_wiping_leaves_nothing() -> None:
    buffer = bytearray(PLAIN)
    secret = SecretBytes(buffer)
    view = secret.view
    secret.wipe()
    assert not any(buffer)
    assert not any(view)
    assert secret.wiped
    assert len(secret) == len(PLAIN)


def test_a_wiped_secret_is_refused_rather_than_taken_for_zeros() -> None:
    secret = SecretBytes(PLAIN)
    with secret:
        assert secret.same(PLAIN)
    for use in (lambda: secret.view, secret.to_hex, lambda: secret.same(bytes(len(PLAIN)))):
        with pytest.raises(ValueError, match="wiped"):
            use()
    secret.wipe()


def test_the_view_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        SecretBytes(PLAIN).view[0] = 1


def test_hex_comes_in_a_buffer_that_can_be_wiped() -> None:
    digits = SecretBytes(PLAIN).to_hex()
    assert digits == PLAIN.hex().encode()
    wipe_buffer(digits)
    assert digits == bytearray(2 * len(PLAIN))


def test_random_secrets_differ() -> None:
    one, other = SecretBytes.random(32), SecretBytes.random(32)
    assert len(one) == 32
    assert not one.same(other)
    assert one.same(SecretBytes(bytes(one.view)))
