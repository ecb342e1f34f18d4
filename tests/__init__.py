"""Tests of the product, in the same nouns as the code."""
