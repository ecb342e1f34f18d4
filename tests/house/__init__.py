"""Tests of the house rules: floors, sizes, locks, texts."""
