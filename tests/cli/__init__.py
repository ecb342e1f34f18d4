"""Tests of the command line, every verb and every exit code."""
