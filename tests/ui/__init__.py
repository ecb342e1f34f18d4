"""Tests of the desktop, offscreen."""
