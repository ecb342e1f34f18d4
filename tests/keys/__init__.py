"""Tests of keys, keyring, vault, state and time."""
