"""The searches of select menus: each file is one, found by its name."""
