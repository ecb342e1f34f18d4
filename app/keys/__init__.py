"""Secrets of one device: the system keyring, the wrapped data key, the guarded state and trusted time."""
