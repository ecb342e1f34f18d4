"""Tests of the engine: pace, line, cycle, bytes over HTTPS, the thread."""
