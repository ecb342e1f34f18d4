"""Tests of the wipe: killed, starved and unplugged at every step."""
