"""The bot that most tests of handlers speak to."""

from tests.handlers.rig import rig, staged

bot = staged(rig)
