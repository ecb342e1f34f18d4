"""Tests of colours, palette, style sheet, fonts and icons."""
