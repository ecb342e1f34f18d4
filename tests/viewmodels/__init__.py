"""Tests of what screens know, without a display."""
