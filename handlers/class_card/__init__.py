"""Class cards: posting one, pressing it, and ending the class."""
