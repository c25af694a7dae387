"""Tests of the demonstration: the story as a person at a terminal sees it, and its end."""
