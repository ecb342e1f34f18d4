"""The engine that exchanges ops with the server; knows no SQL, no Qt and no desktop."""
