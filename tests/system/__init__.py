"""Tests of what the operating system tells."""
