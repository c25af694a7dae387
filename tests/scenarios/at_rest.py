"""The state of a conversation after everything in it has come to an end."""

RUN = "/job run wb --cluster Local -- Rscript Test.R"


async def holds(talk):
    """Press every button in a copy of the world. Check for wrong buttons, grey messages and duplicates."""
    await talk.press_all()
    shown = "\n".join(one.read for one in talk.at_rest())
    assert talk.untrue() == [], shown
    assert talk.grey() == [], shown
    assert talk.grey_edits == 0, shown
    assert [(act.said, [one.read for one in both]) for act, both in talk.twice()] == [], shown
