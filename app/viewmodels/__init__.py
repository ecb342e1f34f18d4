"""What each screen knows, without Qt: tested without a display."""
