"""Lists of runs, paged to stay within a message's 50 blocks, and the answer about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from bot.domain.facts import RunFacts
from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.settling import is_run_unanswered
from bot.messages.blocks import kit, limits
from bot.messages.blocks.kit import Block, Element
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.paging import listed, page_of, row
from bot.messages.blocks.runs import (
    again_button,
    card_buttons,
    force_button,
    logs_button,
    run_card,
    short,
    state_lines,
    stop_button,
)
from bot.messages.texts import runs as words
from bot.messages.texts import times

#: Two blocks each, with room for a title, a remark and the buttons below.
PAGE = 20
#: How many buttons people can take in at a glance.
FEW = 5


def run_list(
    rows: Sequence[RunFacts],
    *,
    page: int = 1,
    remark: str = "",
    replaces: bool = False,
    only: Mapping[str, Any] | None = None,
) -> Answer:
    """List runs. ``rows`` are all of them; a page beyond the end becomes the last one.

    ``only`` as for workspaces.
    """
    one = page_of(rows, page, PAGE)
    what, typed = (only["what"], only["words"]) if only is not None else (words.RUNS, "")
    title = fill(words.LIST, what=Markup(what))
    drawn = [block for facts in one.shown for block in run_row(facts)]
    text = " ".join(short(facts) for facts in one.shown[:5])
    blocks = listed(title, drawn, one, remark, verb="job_list", words=typed)
    return kit.answer(text or title, blocks, replaces=replaces)


def run_status(facts: RunFacts) -> Answer:
    """Answer with a run's progress, when it was seen, and what can be done about it."""
    run = facts.run
    card = run_card(facts)
    if not run.is_going:
        return card
    remark = words.NO_NEWS
    if run.observed_at is not None:
        remark = fill(words.NEWS, at=kit.moment(run.observed_at, facts.now))
    blocks = [block for block in card.blocks if block["type"] != "actions"]
    blocks += [kit.context(remark), *kit.actions(card_buttons(facts))]
    return replace(card, blocks=tuple(blocks))


def choices(verb: str, runs: Sequence[Run], now: float, zone: tzinfo) -> list[Element]:
    """Return a button per run for a verb (stop, logs, status), told apart by when they were asked for.

    A button has no formatting, so the time is in the person's own zone.
    """
    labels = {"stop": words.STOP_ONE, "logs": words.LOGS_ONE, "status": words.STATUS_ONE}
    names = [limits.line(run.name).casefold() for run in runs]
    made = []
    for number, run in enumerate(runs[:FEW]):
        name = limits.line(run.name, 40)
        if names.count(names[number]) > 1:
            name = fill(words.FROM, name=Markup(name), at=times.day_in(run.created_at, now, zone))
        label = fill(labels[verb], name=Markup(name))
        button = stop_button(run) if verb == "stop" else kit.button(label, f"job_{verb}", run.id)
        made.append(kit.numbered(button, number, label))
    return made


def run_row(facts: RunFacts) -> list[Block]:
    """Draw one run in a list."""
    state = Markup("\n".join(state_lines(facts)))
    sentence = fill(words.ROW, name=facts.run.name, title=facts.connection_title, state=state)
    return row(sentence, [kit.quiet(one) for one in _row_buttons(facts)])


def _row_buttons(facts: RunFacts) -> list[Element]:
    run = facts.run
    can = facts.capabilities
    logs = logs_button(facts) if run.remote_id else []
    if not run.is_going:
        return [*logs, *([again_button(run)] if run.spec and "runs" in can else [])]
    if "runs" not in can or (run.stop_wanted and not is_run_unanswered(run, facts.now)):
        return logs
    return [force_button(run) if run.stop_wanted else stop_button(run), *logs]
