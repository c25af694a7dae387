"""The settings of several Slack workspaces, in which Usher is installed by OAuth."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import field_validator

from bot.support.settings.core import COPY_IDS, CoreSettings, check_administrators
from bot.support.settings.field import AreRight, setting, split_names

_SLACK_WORKSPACE_PATTERN = re.compile(r"^[TE][A-Z0-9]+$")
#: In place of a list of Slack workspaces: all of them.
ANY_WORKSPACE: Final = "*"
_EACH: Final = (
    "without SLACK_BOT_TOKEN, each id needs its workspace (T0123:U0123ABCD) or its "
    "organisation (E0123:U0123ABCD), because the same id may be somebody else in another one"
)


class InstalledSettings(CoreSettings):
    """The served Slack workspaces, and the administrators of all of them."""

    global_administrators: str = setting(
        "USHER_GLOBAL_ADMINS", "", "Usher admins of all Slack workspaces, in the same form", advice=COPY_IDS
    )
    slack_workspaces: str = setting(
        "USHER_SLACK_WORKSPACES",
        "",
        "without a bot token: who may install Usher, `T…` or `E…`, or `*`",
        advice="Name the Slack workspaces that you serve, such as T0123ABCD,E0123ABCD: "
        "a browser shows a workspace's id in the address of app.slack.com.",
    )

    @field_validator("global_administrators")
    @classmethod
    def _global_administrators(cls, value: str) -> str:
        return check_administrators(value)

    @field_validator("slack_workspaces")
    @classmethod
    def _slack_workspaces(cls, value: str) -> str:
        names = split_names(value)
        if names != {ANY_WORKSPACE} and not all(map(_SLACK_WORKSPACE_PATTERN.match, names)):
            raise ValueError(
                "needs ids of Slack workspaces (T0123) or organisations (E0123), separated by commas, or *"
            )
        return value

    def global_admin_ids(self) -> frozenset[str]:
        """Return those of all Slack workspaces, as ``admin_ids`` does."""
        return split_names(self.global_administrators)

    def workspace_ids(self) -> frozenset[str]:
        """Return the Slack workspaces and organisations that are served, or ``ANY_WORKSPACE`` alone."""
        return split_names(self.slack_workspaces)

    def clashes(self, are_right: AreRight) -> Iterator[str]:
        """Yield the settings that are missing where Usher is installed by OAuth, as there is no bot token."""
        yield from super().clashes(are_right)
        if self.slack_bot_token is not None or not are_right("SLACK_BOT_TOKEN"):
            return
        if self.public_url is None and are_right("USHER_PUBLIC_URL"):
            yield (
                "USHER_PUBLIC_URL is required without SLACK_BOT_TOKEN: "
                "Usher is installed at /slack/install there"
            )
        named = {"USHER_ADMINS": self.admin_ids(), "USHER_GLOBAL_ADMINS": self.global_admin_ids()}
        for variable, ids in named.items():
            if are_right(variable) and any(":" not in name for name in ids):
                yield f"{variable}: {_EACH}"
        if not self.slack_workspaces and are_right("USHER_SLACK_WORKSPACES"):
            yield (
                "USHER_SLACK_WORKSPACES is required without SLACK_BOT_TOKEN: "
                "the Slack workspaces that may install and use Usher, or * for any"
            )
