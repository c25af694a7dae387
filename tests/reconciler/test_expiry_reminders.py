"""Links that expire: reminders a week and a day before, each sent once and deleted after relinking."""

from bot.store import accounts, audit
from tests.reconciler.limits import CAROL
from tests.rigs.store import ALICE, BOB

DAY, HOUR = 86_400.0, 3600.0

EXPIRED = "Your link to Fake Cloud has expired."


async def linked_for(world, days, principal=ALICE, **keys):
    account = await world.link(
        principal, token=f"token-{principal.user_id}", expires_at=world.clock.now() + days * DAY, **keys
    )
    await world.work()
    return account


async def look(world, days):
    """Let time pass, and let the process look for credentials that expire."""
    world.clock.advance(days * DAY)
    await world.know()
    await world.work()


def reminders(world):
    shown = zip(world.slack.kinds(), world.slack.messages, strict=True)
    return [message for kind, message in shown if kind == "link_expiry"]


async def test_a_week_and_a_day_before_each_once_with_a_button(world):
    await linked_for(world, 365)
    await look(world, 357.9)
    assert reminders(world) == []
    for _ in range(3):
        await look(world, 0.1)
    (week,) = reminders(world)
    assert week["text"].startswith("Your link to Fake Cloud expires in 7 days, ")
    assert [button["text"]["text"] for button in week["blocks"][-1]["elements"]] == ["Link again"]
    for days in (2, 3.8, 0.1):
        await look(world, days)
        world.reborn()
    week, day = reminders(world)
    assert day["text"].startswith("Your link to Fake Cloud expires in 1 day, ")
    assert week["text"].startswith("Your link to Fake Cloud expires in 7 days, ")
    await look(world, 2)
    await world.pass_time(60)
    assert reminders(world) == []
    assert world.slack.sent_kinds().count("link_expiry") == 2


async def test_after_a_downtime_the_latest_is_said_and_after_the_end_none(world):
    await linked_for(world, 30)
    await linked_for(world, 20, BOB)
    await look(world, 29.5)
    (only,) = reminders(world)
    assert only["text"].startswith("Your link to Fake Cloud expires in 12 h, ")


async def test_what_was_approved_ends_by_itself_and_waits_to_be_linked_again(world):
    account = await linked_for(world, 90, link_source="approval")
    await linked_for(world, 90, BOB)
    await look(world, 89.5)
    assert len(reminders(world)) == 2
    await look(world, 0.6)
    # BOB's own expired token is left to the provider to refuse; nobody there would refuse an approved
    # account.
    approved, proven = [await world.store.read(accounts.find_account, who, "cloud") for who in (ALICE, BOB)]
    assert (approved.state, approved.secret, proven.state) == ("refused", "", "active")
    shown = zip(world.slack.kinds(), world.slack.messages, strict=True)
    (told,) = [message for kind, message in shown if kind == "relink_prompt"]
    assert told["text"].startswith(EXPIRED)
    entries = await world.store.read(audit.read_audit)
    assert ("account.refused", account.id) in [(row["action"], row["target"]) for row in entries]


async def test_reminder_goes_once_it_is_linked_again(world):
    await linked_for(world, 10)
    await look(world, 4)
    (reminder,) = reminders(world)
    assert "Link again" in str(reminder["blocks"])
    await linked_for(world, 365)
    await look(world, 6)
    assert reminders(world) == []
    assert world.slack.sent_kinds().count("link_expiry") == 1


async def test_people_whose_links_ended_together_are_no_outage_and_read_why(world):
    people = (ALICE, BOB, CAROL)
    for who in people:
        await linked_for(world, 0.5, who)
    spaces = [await world.own(who, f"r-{who.user_id}") for who in people]
    world.clock.advance(DAY)
    for who in people:
        await world.know(who)
    world.provider.refused_tokens |= {f"token-{who.user_id}" for who in people}
    for workspace in spaces:
        await world.begin(workspace)
    await world.pass_time(60, step=5)
    states = {(await world.store.read(accounts.find_account, who, "cloud")).state for who in people}
    assert states == {"active"}
    shown = zip(world.slack.kinds(), world.slack.messages, strict=True)
    told = [message["text"] for kind, message in shown if kind == "sign_in_refused"]
    assert [one.startswith(EXPIRED) for one in told] == [True] * 3
    assert "may be a problem there" not in str(world.slack.messages)
