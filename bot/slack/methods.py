"""The Slack methods that Usher calls, with each method's requirements and rate limit."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Caller = Literal["bot", "app", "none"]


class Method(NamedTuple):
    """A Slack method's requirements and its rate limit per app and workspace.

    ``caller`` is the kind of token that the method needs, or "none" if it needs none, for example because a
    URL itself grants permission. ``scopes`` lists the scopes that the token needs. ``per_minute`` and
    ``per_channel_per_minute`` are the maximum numbers of calls, or None if Slack publishes no limit. Source:
    ``docs/internals/slack.md``, "Rate limits".
    """

    caller: Caller = "bot"
    scopes: frozenset[str] = frozenset()
    per_minute: int | None = None
    per_channel_per_minute: int | None = None


#: Method that Usher calls to check whether Slack responds, and to read Slack's clock.
API_TEST: Final = "api.test"
AUTH_TEST: Final = "auth.test"
CHAT_POST_MESSAGE: Final = "chat.postMessage"
CHAT_UPDATE: Final = "chat.update"
CHAT_DELETE: Final = "chat.delete"
CHAT_GET_PERMALINK: Final = "chat.getPermalink"
CHAT_POST_EPHEMERAL: Final = "chat.postEphemeral"
CONVERSATIONS_HISTORY: Final = "conversations.history"
CONVERSATIONS_OPEN: Final = "conversations.open"
CONVERSATIONS_REPLIES: Final = "conversations.replies"
FILES_GET_UPLOAD_URL: Final = "files.getUploadURLExternal"
FILES_COMPLETE_UPLOAD: Final = "files.completeUploadExternal"
USERS_INFO: Final = "users.info"
USERS_LIST: Final = "users.list"
USERGROUPS_USERS_LIST: Final = "usergroups.users.list"
VIEWS_OPEN: Final = "views.open"
VIEWS_UPDATE: Final = "views.update"
VIEWS_PUBLISH: Final = "views.publish"
OPENID_CONNECT_TOKEN: Final = "openid.connect.token"  # noqa: S105 - a method's name, not a secret
#: Method that removes the app from a Slack workspace. If Slack refuses, Usher calls ``auth.revoke`` instead.
APPS_UNINSTALL: Final = "apps.uninstall"
AUTH_REVOKE: Final = "auth.revoke"
OAUTH_ACCESS: Final = "oauth.v2.access"
AUTH_TEAMS_LIST: Final = "auth.teams.list"
APPS_CONNECTIONS_OPEN: Final = "apps.connections.open"
#: Not a Web API method: stands for a POST to the URL that Slack sent with a command or a click.
RESPONSE_URL: Final = "response_url"
#: Not a Web API method: stands for a POST of a file's bytes to the upload URL that Slack returned.
UPLOAD_URL: Final = "upload_url"

_CHAT: Final = frozenset({"chat:write"})
_FILES: Final = frozenset({"files:write"})
_USERS: Final = frozenset({"users:read"})

METHODS: Final[Mapping[str, Method]] = {
    API_TEST: Method(caller="none"),
    AUTH_TEST: Method(),
    CHAT_POST_MESSAGE: Method(scopes=_CHAT, per_minute=500, per_channel_per_minute=60),
    CHAT_UPDATE: Method(scopes=_CHAT, per_minute=50),
    # The app's own messages only.
    CHAT_DELETE: Method(scopes=_CHAT, per_minute=50),
    # Shows whether Slack knows a channel id.
    CHAT_GET_PERMALINK: Method(per_minute=100),
    CHAT_POST_EPHEMERAL: Method(scopes=_CHAT, per_minute=100),
    # Used only for direct messages. Usher requests no other history scope.
    CONVERSATIONS_HISTORY: Method(scopes=frozenset({"im:history"}), per_minute=50),
    # Finds a person's direct message channel, in which to search for a message that may have been sent.
    CONVERSATIONS_OPEN: Method(scopes=frozenset({"im:write"}), per_minute=50),
    # Reads a thread in a direct message, to look for a message or a file that may have been sent.
    CONVERSATIONS_REPLIES: Method(scopes=frozenset({"im:history"}), per_minute=50),
    FILES_GET_UPLOAD_URL: Method(scopes=_FILES, per_minute=100),
    FILES_COMPLETE_UPLOAD: Method(scopes=_FILES, per_minute=100),
    USERS_INFO: Method(scopes=_USERS, per_minute=100),
    USERS_LIST: Method(scopes=_USERS, per_minute=20),
    # Needed only if an operator names a group.
    USERGROUPS_USERS_LIST: Method(scopes=frozenset({"usergroups:read"}), per_minute=20),
    VIEWS_OPEN: Method(per_minute=100),
    VIEWS_UPDATE: Method(per_minute=100),
    VIEWS_PUBLISH: Method(per_minute=100),
    # Lists the workspaces of an enterprise that has installed the app; ``users.list`` needs one of these.
    AUTH_TEAMS_LIST: Method(per_minute=20),
    OPENID_CONNECT_TOKEN: Method(caller="none"),
    APPS_UNINSTALL: Method(per_minute=1),
    AUTH_REVOKE: Method(per_minute=50),
    OAUTH_ACCESS: Method(caller="none"),
    APPS_CONNECTIONS_OPEN: Method(caller="app", scopes=frozenset({"connections:write"})),
    RESPONSE_URL: Method(caller="none"),
    UPLOAD_URL: Method(caller="none"),
}


#: The limit for methods that aren't in the table, taken from one of Slack's lower tiers.
UNLISTED = Method(per_minute=20)
