"""The setting of Socket Mode."""

from bot.support.settings.core import CoreSettings
from bot.support.settings.field import setting


class SocketSettings(CoreSettings):
    """The number of connections kept open."""

    socket_connections: int = setting(
        "USHER_SOCKET_CONNECTIONS",
        2,
        "connections that a process keeps open in Socket Mode",
        ge=1,
        le=10,
    )
