"""What stands in a conversation once nothing goes on."""

RUN = "/job run wb --cluster Local -- Rscript Test.R"


async def holds(talk):
    """Press every button that stands there in a copy, and look at what nobody should see."""
    await talk.press_all()
    shown = "\n".join(one.read for one in talk.at_rest())
    assert talk.untrue() == [], shown
    assert talk.grey() == [], shown
    assert talk.grey_edits == 0, shown
    assert [(act.said, [one.read for one in both]) for act, both in talk.twice()] == [], shown
