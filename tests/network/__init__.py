"""Tests of the real engine and the real server over a network that does what networks do."""
