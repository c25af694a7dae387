"""The notifier's timeouts and delays."""

from typing import NamedTuple


class Timing(NamedTuple):
    """The notifier's parameters, with times in seconds.

    ``settles`` is the delay before a search for a message that may have been sent, so that the message has
    time to appear. The search covers the time from ``looks_back`` before the attempt, by Slack's clock. Usher
    gives up on a reply that hasn't been sent within ``reply_lives``.
    """

    lease: float = 60.0
    send_timeout: float = 10.0
    settles: float = 15.0
    looks_back: float = 120.0
    reply_lives: float = 60.0
    #: How long Usher tries to send a notice, in seconds. Usher doesn't give up while Slack locks
    #: the app out.
    gives_up_after: float = 86_400.0
    #: How long Usher tries to post a class card in a channel, in seconds, if Slack refuses the card with an
    #: unknown code. This is shorter than ``gives_up_after``, because a class is waiting for the card.
    gives_up_in_channel: float = 3_600.0
    #: How long Usher tries to render a notice, in seconds, before it sends plain text instead.
    plain_text_after: float = 300.0
    batch: int = 20

    def check(self) -> None:
        """Raise ValueError if a send could outlast its lease. Another process would then repeat the send."""
        if self.send_timeout >= self.lease:
            raise ValueError("the time-out of a send must be shorter than the lease of a notice")

    @property
    def last_start(self) -> float:
        """Return how late a send may start and still end within its lease, in seconds after its claim."""
        return self.lease - self.send_timeout - min(5.0, (self.lease - self.send_timeout) / 2)
