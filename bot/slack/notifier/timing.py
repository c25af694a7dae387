"""Timing: the time-outs and waits of sends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The notifier's parameters; times in seconds.

    ``settles``: the wait before the search for a message of unknown outcome, until it has appeared.
    ``looks_back``: the search begins so long before the attempt, by Slack's time.
    """

    lease: float = 60.0
    send_timeout: float = 10.0
    settles: float = 15.0
    looks_back: float = 120.0
    reply_lives: float = 60.0
    #: A notice that Slack hasn't accepted after this long is given up, and reported by doctor.
    gives_up_after: float = 86_400.0
    #: The same where it is refused in a channel with a code that nobody knows: a class waits for it.
    gives_up_in_channel: float = 3_600.0
    #: A notice that can't be rendered after this long is sent as a plain text.
    plain_text_after: float = 300.0
    batch: int = 20

    def check(self) -> None:
        """Raise ValueError if a send could outlast its lease: it would be sent twice."""
        if self.send_timeout >= self.lease:
            raise ValueError("the time-out of a send must be shorter than the lease of a notice")

    @property
    def last_start(self) -> float:
        """Return the latest start of a send after its claim, so that it ends within the lease."""
        return self.lease - self.send_timeout - min(5.0, (self.lease - self.send_timeout) / 2)
