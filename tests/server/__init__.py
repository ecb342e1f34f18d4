"""The server: its store, its rules, and the whole of it over TLS."""
