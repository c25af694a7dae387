"""Rewrites commands to suit the place where a message is read, and describes commands in words."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from bot.domain.markup import Dated
from bot.messages.blocks.kit import FENCE, Markup
from bot.messages.texts import times
from bot.messages.verb import find_verb, list_verbs

#: Labels of buttons for commands about working hours, keyed by the kind of change. The command for "" only
#: shows the hours.
HOURS: Final[Mapping[str, str]] = {
    "": "Show the hours of {name}",
    "off": "Turn off the hours of {name}",
    "on": "Resume the hours of {name}",
    "skip": "Skip the hours of {name} {rest}",
    "pause": "Pause the hours of {name} {rest}",
    "set": "Hours for {name}: {rest}",
    "start": "Start {name} {rest}",
    "stop": "Stop {name} {rest}",
}
COURSE: Final[Mapping[str, str]] = {
    "leave": "Leave {name}",
    "skip": "Skip {name} {rest}",
    "resume": "Resume {name}",
    "end": "End {name}",
}

#: Matches a date in a command. The label of the command's button spells the date out (``Mon 30 Nov``), and
#: omits the command's trailing flags (``_FLAGS_PATTERN``).
_DATE_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FLAGS_PATTERN: Final = re.compile(r"\s+--(\w+)(?:\s.*)?$", re.DOTALL)
#: Matches the name at the start of a command's arguments (quoted text or one word), and what follows it.
_NAME_PATTERN: Final = re.compile(r"(?:\"([^\"]*)\"|'([^']*)'|(\S+))(?:\s+(.*))?")
_SINGLE_DAY_PATTERN: Final = re.compile(r"(\d{4}-\d\d-\d\d|today|tomorrow) (-?)(\d{1,2}:\d\d)")
#: Matches a command about a course. Quoted text is always a name, even if it is a verb.
_COURSE_PATTERN: Final = re.compile(
    r"(\"[^\"]*\"|'[^']*'|[^\"'].*?)\s+(leave|skip|resume|end)\b\s*(.*)",
    re.IGNORECASE,
)


#: Matches a command in a message's text, which shows commands as people type them in a direct message.
_COMMAND_PATTERN: Final = re.compile(r"`(job )?([a-z][^`\n]*)`")


class Prefixes(NamedTuple):
    """The prefixes of workspace verbs and job verbs, as people type them where the text is shown."""

    workspace: str
    job: str

    def of(self, folder: str) -> Markup:
        """Return the prefix that people type before the verbs of a folder."""
        return Markup(self.job if folder == "job" else self.workspace)

    def adapt(self, text: str, folder: str = "workspace") -> str:
        """Add this place's prefixes to the commands in a string, which are written as for a direct message.

        Commands with the verbs of ``folder`` have no prefix in the text. A job's output stays as it is.
        """
        if "`" not in text or text.startswith(FENCE):
            return text
        if isinstance(text, Dated):
            adapted = [
                [part._replace(text=self.adapt(part.text, folder)) for part in line] for line in text.lines
            ]
            return Dated(adapted)
        return _COMMAND_PATTERN.sub(partial(self._adapt_command, folder), text)

    def adapt_view(self, part: Any) -> Any:
        """Add this place's prefixes to the commands in an answer, form or Home tab, or in a part of one."""
        if isinstance(part, list):
            return [self.adapt_view(one) for one in part]
        if not isinstance(part, dict):
            return part
        if part.get("type") == "mrkdwn":
            return {**part, "text": self.adapt(part["text"])}
        return {key: self.adapt_view(value) for key, value in part.items()}

    def _adapt_command(self, folder: str, found: re.Match[str]) -> str:
        if found[1]:
            return f"`{self.job}{found[2]}`"
        return f"`{self.of(folder)}{found[2]}`" if found[2].split()[0] in list_verbs(folder) else found[0]


#: Prefixes of commands in a direct message, where people type verbs without a slash command.
DIRECT: Final = Prefixes("", "job ")


def describe_command(command: str, now: float) -> str:
    """Describe in words what a command does, without its flags, quotes and numeric dates."""
    folder = "job " if command.startswith("job ") else ""
    of = folder.strip() or "workspace"
    if alone := find_verb(of, command.removeprefix(folder)).alone:
        return alone
    verb, _, rest = command.removeprefix(folder).partition(" ")
    flag = found[1] if (found := _FLAGS_PATTERN.search(rest)) else ""
    rest = _FLAGS_PATTERN.sub("", rest)
    does = find_verb(of, flag).does or find_verb(of, verb).does or find_verb("workspace", verb).does
    template = does or f"{verb.capitalize()} {{rest}}"
    if verb == "hours" and (named := _NAME_PATTERN.fullmatch(rest)) is not None:
        template, rest = _describe_hours(named[4] or "")
        template = template.format(name=named[1] or named[2] or named[3], rest="{rest}")
    elif verb == "card" and not flag and (course := _COURSE_PATTERN.fullmatch(rest)) is not None:
        template, rest = (
            COURSE[course[2].casefold()].format(name=course[1].strip("'"), rest="{rest}"),
            course[3],
        )
    said = template.replace("{rest}", _DATE_PATTERN.sub(partial(_format_day, now), rest)).replace('"', "")
    return said.strip()


def _format_day(now: float, found: re.Match[str]) -> str:
    try:
        return times.format_weekday(found[0], datetime.fromtimestamp(now, UTC).date())
    except ValueError:
        return found[0]


def _describe_hours(said: str) -> tuple[str, str]:
    verb, _, rest = said.partition(" ")
    if (once := _SINGLE_DAY_PATTERN.fullmatch(said)) is not None:
        return HOURS["stop" if once[2] else "start"], f"{once[1]} at {once[3]}"
    verb = "skip" if verb == "off" and rest else verb
    is_change = verb in HOURS and not (verb == "on" and rest)  # "On mondays 9:00" sets hours.
    return (HOURS[verb], rest) if is_change else (HOURS["set"], said)
