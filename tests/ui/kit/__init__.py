"""Tests of the painted parts."""
