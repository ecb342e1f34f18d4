"""The engine that exchanges ops with the server; it knows no SQL, no Qt and nothing of the app."""
