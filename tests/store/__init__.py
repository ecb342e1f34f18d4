"""Tests of the store, on real SQLCipher files."""
