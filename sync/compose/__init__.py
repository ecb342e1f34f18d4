"""The front doors of the server side: they join server, console and client and run them."""
