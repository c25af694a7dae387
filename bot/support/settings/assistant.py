"""The setting of Slack's assistant."""

from collections.abc import Iterator

from bot.support.settings.core import CoreSettings
from bot.support.settings.field import AreRight, setting


class AssistantSettings(CoreSettings):
    """Whether Slack's assistant may call Usher."""

    assistant: bool = setting(
        "USHER_ASSISTANT",
        False,
        "`true`: Slack's assistant may call Usher; `usher docs slack-app#slacks-assistant`",
        "`false`",
        advice="Set both, or leave it out: `usher docs slack-app#slacks-assistant` says what it needs.",
    )

    def clashes(self, are_right: AreRight) -> Iterator[str]:
        """Yield the problems of settings that depend on each other, with those that the assistant needs."""
        yield from super().clashes(are_right)
        is_heard = self.slack_signing_secret is not None and self.public_url is not None
        if self.assistant and not is_heard and are_right("SLACK_SIGNING_SECRET", "USHER_PUBLIC_URL"):
            yield "USHER_ASSISTANT needs SLACK_SIGNING_SECRET and USHER_PUBLIC_URL: Slack calls there"
