"""Texts for people, not yet escaped. Only long texts and those used in several places are kept here."""
