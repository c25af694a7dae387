"""A stored installation of Usher in a Slack workspace, and whether Slack still accepts its token."""

from bot.domain.installations import Installation, Installed
from bot.support.errors import SlackFailed

ACME = Installed(
    id="T1",
    enterprise_id=None,
    team_id="T1",
    team_name="Acme",
    bot_user_id="UBOT",
    bot_id="BBOT",
    bot_name="usher",
    scopes="chat:write",
    secret="sealed 1",
    expires_at=None,
    installed_by="U1",
)


class Token:
    """The state of a bot token: by default, Slack has revoked it. ``error`` is raised when Slack is asked."""

    def __init__(self) -> None:
        self.is_taken = False
        self.error: SlackFailed | None = None
        self.forgotten: list[str] = []
        #: Channels that exist in Slack.
        self.channels: set[str] = set()

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        return None

    def token_of(self, name: str) -> str:
        return f"token of {name}"

    async def find_refused_token(self, installation: Installation) -> str | None:
        if self.error is not None:
            raise self.error
        return None if self.is_taken else f"token of {installation.id}"

    async def forget_token(self, installation: Installation, refused: str) -> None:
        self.forgotten.append(refused)

    async def has_channel(self, installation: Installation, channel: str, ts: str) -> bool:
        if self.error is not None:
            raise self.error
        return channel in self.channels
