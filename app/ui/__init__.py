"""The desktop: the only room with PySide6."""
