"""The admin desk: key files, orders, and the command."""
