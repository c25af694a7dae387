"""Text for people, not yet escaped. Only long strings and those used in several places are kept here."""
