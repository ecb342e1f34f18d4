"""One editor per type of field, named for screen readers; each shows a value and tells what a person made of it."""
