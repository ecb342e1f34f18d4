"""Many devices and one server in one process, driven from a seed: what is typed must be what is there at the end."""
