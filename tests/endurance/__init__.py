"""Two laptops and a server on a bad network for an hour: what was typed is what is there."""
