"""Messages that exceed Slack's limits keep their place: the first to be ready is the first to be told."""

from dataclasses import replace

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.store import notices
from bot.support.errors import SlackLimited

POST = "chat.postMessage"
#: Messages that the rate limit allows in a minute.
ROOM = 450


def message(number):
    principal = Principal(None, "T1", f"U{number:04d}")
    return NewNotice(f"subject-{number:04d}", NoticeKind.MESSAGE, "1", principal, {"text": str(number)})


async def test_messages_beyond_the_limit_go_out_in_the_order_in_which_they_were_written(world):
    for first in range(0, ROOM + 100, 50):
        await world.store.write(notices.add_notices, [message(number) for number in range(first, first + 50)])
        await world.pass_time(2)
    assert world.slack.count(POST) == ROOM
    await world.pass_time(90)
    sent = [int(one["text"]) for one in world.slack.messages]
    # Messages from the same moment are in no particular order.
    assert [number // 50 for number in sent] == sorted(number // 50 for number in range(ROOM + 100))
    assert world.slack.over_budget == 0


async def test_a_message_that_slack_itself_refused_keeps_its_place(world):
    world.slack.fail(POST, SlackLimited(POST, 20.0))
    await world.store.write(notices.add_notices, [message(0)])
    await world.work()
    await world.pass_time(5)
    later = replace(message(1), principal=message(0).principal)
    await world.store.write(notices.add_notices, [later, message(2)])
    await world.pass_time(30)
    # Another conversation isn't kept waiting.
    assert [one["text"] for one in world.slack.messages] == ["2", "0", "1"]
