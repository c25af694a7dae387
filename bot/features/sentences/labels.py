"""Labels of the ranker, in one table: the consequence, the slots and the builders of each.

Each has a file of phrases in ``sentences``, and there is none besides (``tools.weights``).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot.features.sentences import builders
from bot.features.sentences.faq import FAQ
from bot.features.sentences.utterance import Builder, Consequence, Label, Slot

_ANSWERS, _TELLS, _ASKS = Consequence.ANSWERS, Consequence.TELLS, Consequence.ASKS
_STARTS, _ENDS, _CHANGES = Consequence.STARTS, Consequence.ENDS, Consequence.CHANGES
#: Slots of what is done to workspaces, of a question about anything, and of a change of a course.
_ACT_SLOTS: Final[tuple[Slot, ...]] = ("workspace", "time", "recurrence")
_ANY_SLOTS: Final[tuple[Slot, ...]] = ("workspace", "run", "job", "course", "connection", "time")
_COURSE_SLOTS: Final[tuple[Slot, ...]] = ("course", "days", "time")


def _declare(
    names: str, consequence: Consequence, takes: Iterable[Slot], build: Builder, **more: Any
) -> Mapping[str, Label]:
    return {one: Label(one, consequence, frozenset(takes), build, **more) for one in names.split()}


_ask_for_time, _ask_for_course = builders.ask_for_time, builders.ask_of_feature
_commands, _operations = builders.build_commands, builders.build_operations
_question, _page, _talk = builders.answer_question, builders.show_command, builders.show_talk
_of_feature, _nothing, _acts = builders.build_of_feature, builders.build_nothing, builders.show_of_feature
#: By its name.
LABELS: Final[Mapping[str, Label]] = {
    # what is done to workspaces
    **_declare("start resume", _STARTS, _ACT_SLOTS, _operations, form=_ask_for_time),
    **_declare("stop suspend restart", _ENDS, _ACT_SLOTS, _operations, form=_ask_for_time),
    **_declare("keep", _CHANGES, ["workspace", "time"], _operations, form=_ask_for_time),
    **_declare("cancel", _ENDS, ["workspace"], _operations),
    **_declare("remove forget", _ENDS, ["workspace"], _operations, is_rare=True),
    **_declare("again", _STARTS, ["workspace", "run", "job", "time"], builders.build_again),
    **_declare("hold", _CHANGES, ["workspace", "days"], builders.build_hold),
    **_declare("undo", _CHANGES, [], _of_feature, is_rare=True),
    **_declare("hours", _CHANGES, [*_ACT_SLOTS, "days"], builders.build_hours, form=builders.ask_for_hours),
    **_declare("hours-off", _CHANGES, ["workspace", "days", "time"], builders.build_hours),
    **_declare("alias", _CHANGES, ["workspace", "name"], builders.build_name, form=builders.ask_for_name),
    **_declare("notify", _CHANGES, ["workspace"], builders.build_messages, form=builders.ask_for_settings),
    **_declare("add", _CHANGES, ["name", "connection"], builders.build_nothing, form=builders.ask_for_link),
    # runs
    **_declare("job-run", _STARTS, ["run", "job"], builders.build_runs, form=builders.ask_for_job),
    **_declare("job-stop", _ENDS, ["run"], builders.build_runs),
    # courses
    **_declare("skip", _CHANGES, ["workspace", *_COURSE_SLOTS], builders.build_skip),
    **_declare("move pause-course", _CHANGES, _COURSE_SLOTS, _of_feature, form=_ask_for_course),
    **_declare("leave end-course", _CHANGES, ["course"], _of_feature, form=_ask_for_course),
    **_declare("join", _CHANGES, ["course"], _of_feature, form=_ask_for_course),
    # forms, and what asks by itself
    **_declare("new", _ASKS, ["connection", "template"], builders.build_new, command="new"),
    **_declare("unlink", _ASKS, ["connection"], _commands, command="unlink", is_rare=True),
    **_declare("card", _ASKS, [], _commands, command="card", is_rare=True),
    **_declare("job-schedule", _ASKS, ["job", "recurrence"], builders.build_schedule, command="job schedule"),
    # questions
    **_declare("list", _ANSWERS, _ANY_SLOTS, _commands, show=_question, command="list"),
    **_declare("health", _ANSWERS, _ANY_SLOTS, _commands, show=_question, command="list"),
    **_declare("status", _ANSWERS, _ANY_SLOTS, _commands, show=_question, command="list", of_run="status"),
    **_declare("since until", _ANSWERS, _ANY_SLOTS, _commands, show=_question),
    **_declare("why job-status", _ANSWERS, _ANY_SLOTS, _commands, show=_question, of_run="result"),
    **_declare("job-logs", _ANSWERS, _ANY_SLOTS, _commands, show=_question, of_run="logs"),
    **_declare("eta", _ANSWERS, _ANY_SLOTS, _commands, show=builders.show_eta, command="eta", of_run="eta"),
    **_declare("planned today heard messages", _TELLS, ["time"], _nothing, show=_acts),
    **_declare("open", _TELLS, ["workspace"], builders.build_opening, show=builders.show_open),
    **_declare("link", _TELLS, ["connection"], _commands, show=_page, command="link"),
    **_declare("settings", _TELLS, [], _commands, show=_page, command="settings"),
    **_declare("whoami", _TELLS, [], _commands, show=_page, command="whoami"),
    **_declare("courses", _TELLS, ["course"], _commands, show=_page, command="courses"),
    **_declare("help", _TELLS, [], _commands, show=_page, command="help"),
    **_declare("version", _TELLS, [], _commands, show=_page, command="version"),
    **_declare("job-list", _TELLS, [], _commands, show=_page, command="job list"),
    **{
        name: Label(name, _TELLS, frozenset(), _commands, show=_page)
        for name in (f"fact-{fact}" for fact in FAQ)
    },
    # talk
    **_declare("hello thanks nothing chat cant yes", _TELLS, [], _nothing, show=_talk),
}


def find_mismatches(phrased: Iterable[str]) -> list[str]:
    """Return the labels that have phrases and no builder, or a builder and no phrases."""
    return sorted(LABELS.keys() ^ {*phrased})
