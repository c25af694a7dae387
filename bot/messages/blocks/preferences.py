"""A person's preferences, and the form that changes them."""

from collections.abc import Sequence
from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.preferences import ASKS_AFTER, PreferenceFacts, find_asking_hours
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import answers, times, verbs
from bot.messages.texts import preferences as words

SETTINGS_CALLBACK: Final = "settings"
#: The names of the fields in the preferences form.
TELL, ASKING, ASSISTANT, MESSAGES = "tell", "asking", "assistant", "messages"
#: Value of the option that turns off questions about workspaces left running.
NEVER_OPTION: Final = "-"
#: Numbers of hours to choose from: how long a workspace runs before its owner is asked about it.
ASKING_HOURS: Final = (4, 8, 12, 24, 48)
#: Maximum number of names shown in a list of names.
_MAX_NAMES: Final = 10


def answer_preferences(facts: PreferenceFacts, view: dict[str, Any] | None = None) -> Answer:
    """Answer with the preferences and the time now, and open the form if possible."""
    small = kit.context(fill(answers.AS_OF_ALONE, at=kit.moment(facts.now, facts.now)))
    said = f"*Your settings*\n{format_preferences(facts)}"
    shown = kit.answer([kit.section(said, kit.button(words.CHANGE, "settings_form")), small])
    return Answer(text=shown.text, blocks=shown.blocks, view=view)


def build_saved_view(said: str) -> dict[str, Any]:
    """Return the view that replaces a saved form and shows the new settings."""
    return kit.modal(words.SETTINGS_TITLE, [kit.section(f"{words.SAVED}\n{said}")])


def format_preferences(facts: PreferenceFacts) -> str:
    """Format a person's preferences, one sentence a line."""
    wanted = facts.wanted
    sent = [said for topic, said in words.TOPICS.items() if getattr(wanted, topic)]
    sentences = [fill(words.SENT, topics=Markup(_join_or(sent))) if sent else words.NOT_SENT]
    if facts.own:
        names = [f"*{line(one.title)}*" for one in facts.own[:_MAX_NAMES]]
        names += (
            [fill(answers.AND_MORE, count=len(facts.own) - _MAX_NAMES)] if len(facts.own) > _MAX_NAMES else []
        )
        sentences.append(fill("With settings of their own: {names}.", names=Markup(", ".join(names))))
    sentences += _format_asking(facts)
    if facts.has_assistant:
        sentences.append(fill("Slackbot can {level}.", level=words.ASSISTANT_LEVELS[wanted.assistant]))
    return "\n".join(sentences)


def _format_asking(facts: PreferenceFacts) -> list[str]:
    """Say, for each connection, after how many hours the person is asked about a running workspace."""
    usual = find_asking_hours(facts.wanted.idle_prompt_after, None)
    if (only := {*facts.asked_after.values()}) and len(only) == 1:
        (usual,) = only
    others: dict[float | None, list[str]] = {}
    for title, hours in sorted(facts.asked_after.items()):
        if hours != usual:
            others.setdefault(hours, []).append(title)
    sentences = [_format_asking_hours(usual, words.ASKS_AFTER, "I won't ask about workspaces left running.")]
    for hours, titles in others.items():
        named = Markup(times.join_names(map(line, titles)))
        sentences.append(_format_asking_hours(hours, words.ASKS_THERE, words.ASKS_NEVER_THERE, titles=named))
    return [" ".join(sentences)]


def _format_asking_hours(hours: float | None, asks: str, never: str, **more: Any) -> str:
    return (
        fill(never, **more)
        if hours is None
        else fill(asks, time=times.format_duration(hours * 3600.0), **more)
    )


def build_form(facts: PreferenceFacts, command: str) -> dict[str, Any]:
    """Return the form with the current preferences; ``command`` is for a single workspace's settings."""
    wanted = facts.wanted
    topics = [kit.option(topic, said) for topic, said in words.TOPICS.items()]
    sent = [one for one in topics if getattr(wanted, one["value"])]
    asking = [kit.option(NEVER_OPTION, "Don't ask")]
    asking += [kit.option(str(one), f"After {times.format_duration(one * 3600)}") for one in ASKING_HOURS]
    chosen_hours = str(wanted.idle_prompt_after or ASKS_AFTER)
    initial = next((one for one in asking if one["value"] == chosen_hours), asking[0])
    blocks = [
        kit.boxes(TELL, "Message me when", topics, sent, words.TELL_HINT.format(command=command)),
        kit.select(ASKING, "Ask me about workspaces left running", asking, initial),
    ]
    if facts.has_assistant:
        levels = {value: kit.option(value, said) for value, said in words.ASSISTANT_LEVELS.items()}
        chosen = levels[wanted.assistant]
        blocks.append(kit.select(ASSISTANT, "Slackbot can", list(levels.values()), chosen))
    return kit.modal(
        words.SETTINGS_TITLE, blocks, submit=words.SUBMIT, close=verbs.CLOSE, callback_id=SETTINGS_CALLBACK
    )


def answer_workspace(workspace: Workspace, said: str, chosen: str) -> Answer:
    """Answer which messages a person receives about a workspace, and open the form if possible."""
    change = kit.button(words.CHANGE, "settings_form", workspace.id, of=workspace.title)
    shown = kit.answer([kit.section(said, change)])
    options = [kit.option(value, label) for value, label in words.MESSAGES.items()]
    initial = next(one for one in options if one["value"] == chosen)
    label = f"Message me about {kit.line(workspace.title)}"
    view = kit.modal(
        words.SETTINGS_TITLE,
        [kit.select(MESSAGES, label, options, initial)],
        submit=words.SUBMIT,
        close=verbs.CLOSE,
        callback_id=SETTINGS_CALLBACK,
        private_metadata=workspace.id,
    )
    return Answer(text=shown.text, blocks=shown.blocks, view=view)


def _join_or(parts: Sequence[str]) -> str:
    """Join parts of a sentence with commas and a final *or*."""
    return " or ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
