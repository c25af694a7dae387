"""A person's preferences: the answers that show them, and the forms that change them."""

from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.preferences import ASKS_AFTER, PreferenceFacts, find_asking_hours
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import answers, times

SETTINGS_TITLE: Final = "Settings"
SUBMIT: Final = "Save"
CHANGE: Final = "Change settings"
TOPICS: Final = {
    "ready": "a workspace is ready",
    "stopped": "a workspace stops by itself",
    "run_ended": "a run ends",
}
NOT_SENT: Final = (
    "I won't message you when a workspace is ready or stops by itself, or when a run ends: their "
    "cards show that."
)
ASKS_AFTER_HOURS: Final = (
    "I'll ask once a day about workspaces left running for more than {time} that nothing will stop "
    "within a day."
)
#: Added for connections on which Usher asks about idle workspaces after a different number of hours, as set
#: by an operator.
ASKS_THERE: Final = "On {titles}, I'll ask after {time}."

TELL_HINT: Final = (
    "Anything else only shows on its card. Failures, warnings and questions always arrive. "
    "For a single workspace, type {command}settings NAME."
)
#: Phrases for what Slack's assistant may do for a person, by permission level
#: (``bot.domain.preferences.LEVELS``).
ASSISTANT_LEVELS: Final = {
    "nothing": "do nothing for you",
    "show": "show your workspaces",
    "start": "show and start your workspaces",
    "stop": "show, start and stop your workspaces",
}

#: Labels of the options that say when to message a person about a workspace. People can also type an option's
#: key in a command, such as ``settings NAME ready``.
MESSAGE_CHOICES: Final = {
    "usual": "As in my general settings",
    "on": "When it's ready, and when it stops by itself",
    "ready": "When it's ready",
    "stopped": "When it stops by itself",
    "off": "Neither",
}
#: Sentences that confirm which messages a person will get about a workspace. The keys say whether a message
#: is sent when the workspace is ready, and whether one is sent when it stops.
NOTIFY: Final = {
    (True, True): "I'll message you when *{name}* on {title} is ready, and when it stops by itself.",
    (True, False): "I'll message you when *{name}* on {title} is ready, but not when it stops by itself.",
    (False, True): (
        "I'll message you when *{name}* on {title} stops by itself. Its card says when it's ready."
    ),
    (False, False): (
        "I won't message you when *{name}* on {title} is ready or stops by itself. Its card shows it."
    ),
}
NOTIFY_USUAL: Final = "*{name}* on {title} follows your usual settings."

SETTINGS_CALLBACK: Final = "settings"
TELL, ASKING, ASSISTANT, MESSAGES = "tell", "asking", "assistant", "messages"
#: Value of the menu option *Don't ask*, which stops Usher from asking about workspaces left running.
NEVER_OPTION: Final = "-"
ASKING_HOURS: Final = (4, 8, 12, 24, 48)
_MAX_NAMES: Final = 10


def answer_preferences(facts: PreferenceFacts, view: dict[str, Any] | None = None) -> Answer:
    """Show the current preferences and, if possible, open the form that changes them."""
    small = kit.context(fill(answers.AS_OF_ALONE, at=kit.moment(facts.now, facts.now)))
    said = f"*Your settings*\n{format_preferences(facts)}"
    shown = kit.answer([kit.section(said, kit.button(CHANGE, "settings_form")), small])
    return Answer(text=shown.text, blocks=shown.blocks, view=view)


def build_saved_view(said: str) -> dict[str, Any]:
    """Return the view shown after the form was saved."""
    return kit.modal(SETTINGS_TITLE, [kit.section(f"*Saved.*\n{said}")])


def format_preferences(facts: PreferenceFacts) -> str:
    """Format a person's preferences, one sentence per line."""
    wanted = facts.wanted
    sent = [said for topic, said in TOPICS.items() if getattr(wanted, topic)]
    topics = Markup(" or ".join(filter(None, [", ".join(sent[:-1]), *sent[-1:]])))
    sentences = [fill("I'll message you when {topics}.", topics=topics) if sent else NOT_SENT]
    if facts.own:
        names = [f"*{line(one.title)}*" for one in facts.own[:_MAX_NAMES]]
        names += (
            [fill(answers.AND_MORE, count=len(facts.own) - _MAX_NAMES)] if len(facts.own) > _MAX_NAMES else []
        )
        sentences.append(fill("With settings of their own: {names}.", names=Markup(", ".join(names))))
    sentences += _format_asking(facts)
    if facts.has_assistant:
        sentences.append(fill("Slackbot can {level}.", level=ASSISTANT_LEVELS[wanted.assistant]))
    return "\n".join(sentences)


def _format_asking(facts: PreferenceFacts) -> list[str]:
    usual = find_asking_hours(facts.wanted.idle_prompt_after, None)
    if (only := {*facts.asked_after.values()}) and len(only) == 1:
        (usual,) = only
    others: dict[float | None, list[str]] = {}
    for title, hours in sorted(facts.asked_after.items()):
        if hours != usual:
            others.setdefault(hours, []).append(title)
    sentences = [_format_asking_hours(usual, ASKS_AFTER_HOURS, "I won't ask about workspaces left running.")]
    for hours, titles in others.items():
        named = Markup(times.join_names(map(line, titles)))
        sentences.append(_format_asking_hours(hours, ASKS_THERE, "On {titles}, I won't ask.", titles=named))
    return [" ".join(sentences)]


def _format_asking_hours(hours: float | None, asks: str, never: str, **more: Any) -> str:
    return (
        fill(never, **more)
        if hours is None
        else fill(asks, time=times.format_duration(hours * 3600.0), **more)
    )


def build_form(facts: PreferenceFacts, command: str) -> dict[str, Any]:
    """Return the form with the current preferences. ``command`` is the prefix of the verb in a hint."""
    wanted = facts.wanted
    topics = [kit.option(topic, said) for topic, said in TOPICS.items()]
    sent = [one for one in topics if getattr(wanted, one["value"])]
    asking = [kit.option(NEVER_OPTION, "Don't ask")]
    asking += [kit.option(str(one), f"After {times.format_duration(one * 3600)}") for one in ASKING_HOURS]
    chosen_hours = str(wanted.idle_prompt_after or ASKS_AFTER)
    initial = next((one for one in asking if one["value"] == chosen_hours), asking[0])
    blocks = [
        kit.boxes(TELL, "Message me when", topics, sent, TELL_HINT.format(command=command)),
        kit.select(ASKING, "Ask me about workspaces left running", asking, initial),
    ]
    if facts.has_assistant:
        levels = {value: kit.option(value, said) for value, said in ASSISTANT_LEVELS.items()}
        chosen = levels[wanted.assistant]
        blocks.append(kit.select(ASSISTANT, "Slackbot can", list(levels.values()), chosen))
    return kit.modal(SETTINGS_TITLE, blocks, submit=SUBMIT, callback_id=SETTINGS_CALLBACK)


def answer_workspace(workspace: Workspace, said: str, chosen: str) -> Answer:
    """Say which messages a person gets about a workspace, and open the form if possible."""
    change = kit.button(CHANGE, "settings_form", workspace.id, of=workspace.title)
    shown = kit.answer([kit.section(said, change)])
    options = [kit.option(value, label) for value, label in MESSAGE_CHOICES.items()]
    initial = next(one for one in options if one["value"] == chosen)
    label = f"Message me about {kit.line(workspace.title)}"
    view = kit.modal(
        SETTINGS_TITLE,
        [kit.select(MESSAGES, label, options, initial)],
        submit=SUBMIT,
        callback_id=SETTINGS_CALLBACK,
        private_metadata=workspace.id,
    )
    return Answer(text=shown.text, blocks=shown.blocks, view=view)
