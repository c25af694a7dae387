"""The settings for several Slack workspaces, in which Usher is installed by OAuth."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import field_validator

from bot.support.settings.core import CoreSettings
from bot.support.settings.field import AreRight, setting, split_names

_SLACK_WORKSPACE_PATTERN = re.compile(r"^[TE][A-Z0-9]+$")
#: Stands for any Slack workspace.
ANY_WORKSPACE: Final = "*"


class InstalledSettings(CoreSettings):
    """The served Slack workspaces, and the administrators of all of them."""

    slack_workspaces: str = setting(
        "USHER_SLACK_WORKSPACES",
        "",
        "without a bot token: who may install Usher, `T…` or `E…`, or `*` for any",
        advice="Name the Slack workspaces that you serve, such as T0123ABCD,E0123ABCD: "
        "a browser shows a workspace's id in the address of app.slack.com.",
    )

    @field_validator("slack_workspaces")
    @classmethod
    def _slack_workspaces(cls, value: str) -> str:
        names = split_names(value)
        if not all(map(_SLACK_WORKSPACE_PATTERN.match, names - {ANY_WORKSPACE})):
            raise ValueError(
                "needs ids of Slack workspaces (T0123) or organisations (E0123), separated by commas, or *"
            )
        return value

    def admin_ids(self) -> frozenset[str]:
        """Return the administrators of one Slack workspace; with a bot token, of the only one."""
        return super().admin_ids() - self._list_ids_alone()

    def global_admin_ids(self) -> frozenset[str]:
        """Return the administrators of all Slack workspaces, as ``T…:U…``; empty with a bot token.

        They are the administrators that are named without a workspace. As an id may be somebody else in
        another workspace, each counts as an id of the first workspace that is listed.
        """
        return frozenset(f"{self._first_workspace}:{name}" for name in self._list_ids_alone())

    def _list_ids_alone(self) -> frozenset[str]:
        alone = frozenset(name for name in super().admin_ids() if ":" not in name)
        return alone if self.slack_bot_token is None and self.slack_workspaces else frozenset()

    @property
    def _first_workspace(self) -> str:
        return self.slack_workspaces.partition(",")[0].strip()

    def workspace_ids(self) -> frozenset[str]:
        """Return the Slack workspaces and organisations that are served, with ``ANY_WORKSPACE`` for any."""
        return split_names(self.slack_workspaces)

    def clashes(self, are_right: AreRight) -> Iterator[str]:
        """Yield the problems of settings that depend on each other, with those needed without a bot token."""
        yield from super().clashes(are_right)
        if self.slack_bot_token is not None or not are_right("SLACK_BOT_TOKEN"):
            return
        if self.public_url is None and are_right("USHER_PUBLIC_URL"):
            yield (
                "USHER_PUBLIC_URL is required without SLACK_BOT_TOKEN: "
                "Usher is installed at /slack/install there"
            )
        is_clear = _SLACK_WORKSPACE_PATTERN.match(self._first_workspace)
        is_known = are_right("USHER_ADMINS", "USHER_SLACK_WORKSPACES")
        if is_known and not is_clear and self._list_ids_alone():
            yield (
                "USHER_ADMINS: an id alone belongs to the first workspace of USHER_SLACK_WORKSPACES, "
                "and that isn't named: write T0123ABCD:U0123ABCD, or put yours before the *"
            )
        if not self.slack_workspaces and are_right("USHER_SLACK_WORKSPACES"):
            yield (
                "USHER_SLACK_WORKSPACES is required without SLACK_BOT_TOKEN: "
                "the Slack workspaces that may install and use Usher, or * for any"
            )
