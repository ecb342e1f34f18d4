"""The command line of the desktop: the same use cases as the window, for scripts, tests and people in a terminal."""
