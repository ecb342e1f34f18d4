"""The encrypted store: the only room of the desktop with SQL."""
