"""The Fieldkeep desktop: window, command line, services, store and keys of one device."""
