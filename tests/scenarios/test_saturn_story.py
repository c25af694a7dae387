"""The main story at Saturn Cloud, as one person experiences it, from the first word to the last message."""

import re

import pytest

from playground.demo.browser import Browser
from tests.rigs.scenario import ID


@pytest.mark.parametrize(
    "bare", [{"sign_in": True}, {"sign_in": False}], indirect=True, ids=["sign-in", "code"]
)
async def test_a_start_before_anything_is_linked_runs_once_the_account_is_linked(bare):
    alice = bare.alice
    asked = await alice.types("start notebook")
    assert asked.is_private
    assert "To start *notebook*, link your Saturn Cloud account." in asked.text
    assert asked.labels[0] == "Link Saturn Cloud"
    assert bare.calls("") == 0

    page = await alice.links("alice", asked=asked)
    assert alice.only("linked").text.startswith("Saturn Cloud is linked as *alice*.")
    if bare.has_sign_in:
        assert "Saturn Cloud is linked as alice." in page.text
    await bare.pass_time(40)
    ready = alice.only("ready")
    assert ready.text.startswith("🟢 *notebook* is ready.")
    # The hint to sign in there is given once, and not with each workspace.
    await alice.types("open notebook")
    signed_in = "Sign in there as alice to open workspaces."
    assert [shown.kind for shown in alice.sees() if signed_in in shown.text] == ["linked"]
    assert ready.address("Open") == f"{bare.saturn_url}/ide/{ID['notebook']}/"
    assert bare.calls("POST .*/start") == 1
    assert [shown.kind for shown in alice.sees()] == ["linked", "ready"]


async def test_the_card_goes_from_queued_to_starting_in_its_place_and_a_new_message_takes_it(linked):
    alice = linked.alice
    await linked.slack.say(alice.id, "@bot", "start notebook")
    await linked.bot.notifier.step_notices()
    card = alice.card
    # A start that was only just requested isn't waiting yet.
    assert "Starting since" in card.text
    assert card.labels == ["Stop", "Refresh"]

    await linked.settle()
    await linked.pass_time(16)
    assert "Starting since" in alice.only("card").text
    assert alice.card.ts == card.ts
    await linked.pass_time(30)
    ready = alice.only("ready")
    assert ready.ts > card.ts
    assert ready.labels == ["Open", "Stop", "Stop later…", "Hours…"]
    assert re.search(r"It took \d\d s\.", ready.text)
    assert alice.sees()[-1].ts == ready.ts
    await linked.pass_time(400, step=20)
    assert [shown.kind for shown in alice.sees()] == ["", "ready"]


async def test_the_address_opens_the_ide_to_its_owner_and_to_nobody_else(linked):
    await linked.alice.types("start training")
    await linked.pass_time(30)
    url = linked.alice.only("ready").address("Open")
    for account, status in (("alice", 200), ("bob", 403)):
        async with Browser() as browser:
            page = await browser.get(f"{linked.saturn_url}/login")
            password = linked.saturn.state.accounts.people[account].password
            await browser.submit(page, username=account, password=password)
            seen = await browser.get(url)
        assert seen.status == status
        assert ("The IDE of alice is running" in seen.text) == (status == 200)


async def started_before(linked, times):
    """Start the notebook and stop it again, the given number of times."""
    for _ in range(times):
        await linked.alice.types("start notebook")
        await linked.pass_time(45, step=3)
        await linked.alice.types("stop notebook")
        await linked.pass_time(30, step=3)


async def test_usual_time_is_said_after_three_starts(linked):
    """A person who starts it by a command reads the time in the answer.

    In a direct message, it is on the card.
    """
    alice = linked.alice
    await started_before(linked, 2)
    await alice.writes("start notebook")
    assert "sually" not in alice.card.text
    await linked.pass_time(45, step=3)
    await alice.types("stop notebook")
    await linked.pass_time(30, step=3)
    answer = await alice.types("start notebook")
    assert re.search(r"I'll message you when it's ready, usually by <!date\^\d+\^\{time\}\|", answer.text)
    await linked.pass_time(45, step=3)
    await alice.types("stop notebook")
    await linked.pass_time(30, step=3)

    await alice.writes("start notebook")
    card, begun_at = alice.card, linked.clock.now()
    assert int(re.search(r", usually ready by <!date\^(\d+)\^", card.text)[1]) > begun_at + 20
    await linked.pass_time(15)
    assert alice.card.text == card.text
    linked.resource("notebook").runs[-1].due_at += 600
    await linked.pass_time(45)
    assert "Slower than usual: this usually takes under a minute." in alice.card.text


async def test_a_start_that_the_provider_fails_is_told_with_its_cause_and_can_be_tried_again(linked):
    alice = linked.alice
    await alice.types("start broken")
    await linked.pass_time(40)
    failed = alice.only("failed")
    assert "I couldn't start *broken* on Saturn Cloud. Saturn Cloud didn't give a reason." in failed.text
    (reference,) = re.findall(r"Reference (\w{4}-\w{4})", failed.text)
    # The log and the audit contain the same reference.
    (line,) = [line for line in linked.watch.lines() if line.get("reference") == reference]
    assert (line["event"], line["outcome"], line["connection"]) == ("not fulfilled", "failed", "saturn")
    audited = [row["action"] for row in await linked.audit() if reference in row["detail"]]
    assert (audited[0], audited[-1]) == ("workspace.start", "operation.start")
    assert failed.labels == ["Try again", "Stop", "View on Saturn Cloud"]
    linked.resource("broken").fail = False
    await alice.presses(failed, "Try again")
    await linked.pass_time(40)
    assert "*broken* is ready" in alice.only("ready").text
    assert linked.calls("POST .*/start") == 2


async def test_a_stop_of_what_is_starting_says_that_the_start_was_sent(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(5)
    answer = await alice.types("stop notebook")
    assert "The start of *notebook* had already been sent, so I'm stopping it again." in answer.text
    await linked.pass_time(60)
    assert "The start of *notebook* had already been sent" in alice.told("card")[0].text
    assert alice.only("stopped")
    assert not alice.told("ready")
    assert linked.resource("notebook").status(linked.clock.now()) == "stopped"
    assert linked.calls("POST .*/start") == 1


async def test_what_was_under_way_goes_on_after_a_restart_of_the_bot(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await alice.types("stop report")
    await linked.pass_time(3)
    await linked.stop_bot()
    linked.clock.advance(60)
    await linked.start_bot()
    await linked.settle()
    await linked.pass_time(30)
    assert alice.only("ready")
    assert alice.only("stopped")
    assert linked.calls("POST .*/notebook|POST .*/start") == 1
