"""Tests of messages: their wording, and the blocks that display it."""
