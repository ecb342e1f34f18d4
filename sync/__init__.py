"""What devices and the central server share and say to each other; knows nothing of the desktop."""
