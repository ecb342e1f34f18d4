"""Tests of the wire: ids, clock, fields, codec, merging, documents, signatures and the rules of trust."""
