"""The bot that most tests of handlers talk to."""

from tests.handlers.rig import rig, staged

bot = staged(rig)
