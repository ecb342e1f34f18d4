"""The picture of the wire, and bodies of every version that was ever sent."""
