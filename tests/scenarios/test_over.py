"""What a message announces is over when it comes: its sentence goes, or the message."""


def there(alice, shown):
    return next((one for one in alice.sees() if one.ts == shown.ts), None)


async def test_answer_that_announced_a_start_goes_once_it_comes(linked):
    alice = linked.alice
    (said,) = await alice.writes("start training in 10 minutes")
    assert "I'll start *training* on Saturn Cloud <!date^" in said.text
    await linked.pass_time(480, step=10)
    assert there(alice, said)
    await linked.pass_time(240, step=10)
    assert there(alice, said) is None
    assert alice.only("ready")


async def test_hours_lose_what_came_next_and_their_old_button(linked):
    alice = linked.alice
    (said,) = await alice.writes("hours training every day 8:30-18:00")
    assert "Next, I'll start it" in said.read
    assert "Skip Fri 15 Jan" in said.labels
    await linked.pass_time(40 * 60, step=20)
    left = there(alice, said)
    assert "has hours now: every day 08:30–18:00" in left.read
    assert "Next" not in left.read
    assert not {"Skip Fri 15 Jan", "Pause until Mon 18 Jan"} & set(left.labels)
    assert "Turn hours off" in left.labels


async def test_question_is_over_once_its_button_was_pressed(linked):
    alice = linked.alice
    for name in ("notebook", "training"):
        await alice.types(f"start {name}")
    await linked.pass_time(60, step=5)
    (asked,) = await alice.writes("stop everything")
    (label,) = asked.labels
    assert label == "Stop 3 workspaces"
    await alice.presses(asked, label)
    now = there(alice, asked)
    assert "Stopping" in now.read
    assert label not in now.labels
    await linked.pass_time(60, step=5)
    assert not [one for one in alice.sees() if label in one.labels]


async def test_answer_to_a_slash_command_is_dated(linked):
    said = await linked.alice.types("hours training every day 8:30-18:00")
    assert "{date_short} at {time}" in said.text
    assert "As of <!date^" in said.text
