"""The wire: kinds, ops, documents and messages, shared by both ends; imports nothing of ours."""
