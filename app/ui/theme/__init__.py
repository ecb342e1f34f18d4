"""How the desktop looks: colours, sizes, type and icons, each declared once."""
