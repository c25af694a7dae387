"""An outage of Slack, in which it can't be reached."""

from bot.slack.calls import UNREACHABLE_CODE
from bot.slack.methods import METHODS
from bot.support.errors import SlackFailed


def unreachable(method):
    return SlackFailed(method, UNREACHABLE_CODE)


def cut_off(world, error):
    for method in METHODS:
        world.slack.fail(method, error(method), times=999_999)


def mend(world):
    world.slack._faults.clear()
