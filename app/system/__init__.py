"""What the operating system tells of its own accord: the only room that listens to it."""
