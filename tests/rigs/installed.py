"""An installation of Usher in a Slack workspace, as it is stored."""

from bot.domain.installations import Installed

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
