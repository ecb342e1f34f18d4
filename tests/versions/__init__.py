"""What each version kept and said, recorded when it was released and replayed against the program of today."""
