"""Commands and clicks that wait until an account is linked, a list has been read, or the user is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.surfaces import Surface, Where

#: How long Usher uses a response_url, in seconds: the 30 minutes for which Slack accepts it
#: (docs/internals/slack.md, "Requests from Slack"), minus one for delivery.
RESPONSE_SECONDS = 29 * 60
#: Number of seconds after a command in which people expect its answer in the same place. For example, if a
#: mention in a channel can't be answered in that time, the answer is sent as a direct message.
ANSWER_EXPECTED_SECONDS: Final = 120.0
#: The fields of a surface that are stored, because they say where to send the answer.
_SURFACE_FIELDS: Final = (
    "interaction",
    "channel_id",
    "thread_ts",
    "where",
    "response_url",
    "view_external_id",
    "via",
)
_NOWHERE: Final = Surface("replay")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredCommand:
    """A command or click that waits for a link, a list or a person, and where its answer must be sent.

    It is stored as JSON. Everything else is read again when it runs. The task that runs it adds ``problem``,
    and also ``task``, which distinguishes one run from the next.
    """

    #: The command (starting with ``job`` if it is a job command), or "" if a button was clicked.
    text: str = ""
    #: The value of the clicked button, as a string (``ButtonValue.text``), or "" if no button was clicked.
    press: str = ""
    #: Where the command was given and can be answered. If a reply has promised the answer, Usher finds that
    #: reply by ``surface.interaction``, the key of the interaction that it answered.
    surface: Surface = _NOWHERE
    #: When the response_url expires.
    response_until: float = 0.0
    #: Whether a reply has promised the answer, which will then replace the reply.
    is_promised: bool = False
    #: Whether an earlier answer has already shown the cached lists. If so, this answer shows the new ones in
    #: its place.
    updates: bool = False
    #: The connection to link first. The command's answer then replaces the message that shows the link page.
    linked: str = ""
    #: The accounts whose lists have already been read for this command.
    looked: tuple[str, ...] = ()
    #: The connection whose list this command is waiting for. If ``problem`` is set, that list couldn't be
    #: read.
    asked: str = ""
    #: Why the wait failed: a cause from ``bot.messages.texts.problems``.
    problem: str = ""
    task: str = ""

    def is_late(self, now: float) -> bool:
        """Return whether it is too late for an answer in the place where the command was given."""
        return now - (self.response_until - RESPONSE_SECONDS) > ANSWER_EXPECTED_SECONDS

    def as_body(self) -> dict[str, Any]:
        """Return the command as a mapping that can be serialised to JSON."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "surface"}
        values |= {name: getattr(self.surface, name) for name in _SURFACE_FIELDS}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> DeferredCommand:
        """Restore the command stored in a body.

        The body may be from release 0.4, which stored the folder separately.
        """
        values = {name: value for name, value in body.items() if name in cls.__slots__}
        surface = Surface("replay", **{name: body[name] for name in _SURFACE_FIELDS if name in body})
        values["surface"] = surface._replace(where=Where(surface.where))
        text = body.get("text", "")
        if text and body.get("folder") == "job" and not text.startswith("job "):
            values["text"] = f"job {text}"
        return cls(**values | {"looked": tuple(body.get("looked") or ())})


#: The value of ``deferred`` for a request that hasn't been deferred.
NOT_DEFERRED: Final = DeferredCommand()
