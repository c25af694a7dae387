"""Slack's app manifest, for Socket Mode and for HTTP, with a reason for everything that it requests.

``manifest.yml`` is ``socket_manifest()`` as YAML. Source: ``docs/internals/slack.md``, "The manifest" and
"Sign in with Slack".
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

BOT_SCOPES: Final[Mapping[str, str]] = {
    "app_mentions:read": "Reads requests that mention the bot, in channels it was invited to.",
    "chat:write": (
        "Sends answers, cards and the message that a workspace is ready, and keeps the cards up to date."
    ),
    "commands": "Provides the slash commands.",
    "files:write": (
        "Sends a job's full output as a file, in the thread of the job's card, and pictures of a week."
    ),
    "im:history": "Reads what people write to the bot, and checks whether a message of its own has arrived.",
    "im:write": "Finds the direct message with a person, to check whether a first message there has arrived.",
    "users:read": "Knows who is a guest or has left, so that only current members can use it.",
}

#: Scopes that can be declined when the app is installed.
OPTIONAL_SCOPES: Final[Mapping[str, str]] = {
    "usergroups:read": "Knows who is in the user groups that the settings or the connections file name.",
    "users:read.email": (
        "Shows administrators the confirmed e-mail addresses of those a request may be about."
    ),
}

#: Scopes that are requested only if Slack's assistant may call Usher.
ASSISTANT_SCOPES: Final[Mapping[str, str]] = {
    "mcp:connect": "Lets Slack's assistant ask for what people tell it to.",
}

USER_SCOPES: Final[Mapping[str, str]] = {
    "openid": "Proves who somebody is on the link page (Sign in with Slack), and reads nothing else.",
}

EVENTS: Final[Mapping[str, str]] = {
    "app_home_opened": "Shows people their workspaces when they open the app's Home tab.",
    "app_mention": "The same words as after the slash command, said to the bot in a channel.",
    "app_uninstalled": "Deletes all links of the workspace that removes the app.",
    "channel_id_changed": "Keeps the cards of classes up to date in a channel that gets another id.",
    "message.im": "The same words as after the slash command, said to the bot in a direct message.",
    "team_join": "Learns about new people, and who of them is a guest.",
    "tokens_revoked": "Stops using a token that Slack has taken back, and tells a person whose own it was.",
    "user_change": "Deletes the links of a person who leaves, and learns who became a guest.",
}

WORKSPACE_COMMAND: Final = "/workspace"
JOB_COMMAND: Final = "/job"

COMMANDS: Final[Mapping[str, str]] = {
    WORKSPACE_COMMAND: "Lists, starts, stops and opens a person's workspaces.",
    JOB_COMMAND: "Runs a person's jobs, shows their output, and stops them.",
}


SHORTCUTS: Final[Mapping[str, str]] = {
    "start_workspace": "Starts one of a person's workspaces from wherever they are in Slack.",
}

#: Path at which Slack's commands, interactions, option searches and events arrive over HTTP.
SLACK_PATH: Final = "/slack/events"
#: Path at which Slack's assistant calls Usher.
ASSISTANT_PATH: Final = "/slack/mcp"
#: Path to which Slack redirects people after Sign in with Slack.
SIGN_IN_REDIRECT_PATH: Final = "/link/slack"
#: Path of the page for installing Usher in a Slack workspace by OAuth.
INSTALL_PATH: Final = "/slack/install"
INSTALL_REDIRECT_PATH: Final = "/slack/oauth_redirect"

_LONG_DESCRIPTION: Final = (
    "Usher starts, stops and opens your cloud workspaces from Slack. Link your own account once, then type "
    "`{command} start notebook`: Usher answers right away, and sends you a direct message with the link when "
    "the workspace is ready. It always uses your own account, and sends links to nobody else.\n\n"
    "`{job_command} run` runs a job there, shows its output, and tells you when it ends. "
    "Type `{command} help` or `{job_command} help` to see everything it can do. In a direct message, the "
    "same commands work without the slash."
)


def socket_manifest(
    url: str | None = None,
    *,
    command: str = WORKSPACE_COMMAND,
    job_command: str = JOB_COMMAND,
    by_oauth: bool = False,
) -> dict[str, Any]:
    """Return the manifest for Socket Mode, which works even if Slack can't reach Usher's server.

    ``url`` is Usher's URL in people's browsers, for Sign in with Slack. ``by_oauth`` says whether Usher is to
    be installed in several Slack workspaces. Raises ValueError for a URL or command that Slack would reject.
    """
    manifest = _build_common(command, job_command)
    if url is not None:
        manifest["oauth_config"]["redirect_urls"] = [_require_https(url) + SIGN_IN_REDIRECT_PATH]
        if by_oauth:
            _allow_several_workspaces(manifest, _require_https(url))
    manifest["settings"]["socket_mode_enabled"] = True
    return manifest


def http_manifest(
    url: str,
    *,
    command: str = WORKSPACE_COMMAND,
    job_command: str = JOB_COMMAND,
    by_oauth: bool = False,
    with_assistant: bool = False,
) -> dict[str, Any]:
    """Return the manifest for HTTP, for a server that Slack reaches at ``url`` (https).

    ``by_oauth`` says whether Usher is to be installed in several Slack workspaces, and ``with_assistant``
    whether Slack's assistant may call it. Raises ValueError for a URL or a command that Slack would reject.
    """
    base = _require_https(url)
    manifest = _build_common(command, job_command)
    for slash_command in manifest["features"]["slash_commands"]:
        slash_command["url"] = base + SLACK_PATH
    manifest["oauth_config"]["redirect_urls"] = [base + SIGN_IN_REDIRECT_PATH]
    settings = manifest["settings"]
    settings["event_subscriptions"]["request_url"] = base + SLACK_PATH
    settings["interactivity"]["request_url"] = base + SLACK_PATH
    settings["interactivity"]["message_menu_options_url"] = base + SLACK_PATH
    settings["socket_mode_enabled"] = False
    if with_assistant:
        server = {"url": base + ASSISTANT_PATH, "auth_type": "slack_identity_auth"}
        manifest["mcp_servers"] = {"Usher": server}
        manifest["oauth_config"]["scopes"]["bot"] += ASSISTANT_SCOPES
    if by_oauth:
        _allow_several_workspaces(manifest, base)
    return manifest


def render(manifest: Mapping[str, Any]) -> str:
    """Return the manifest as JSON, ready to be pasted into Slack's form."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def create_url(manifest: Mapping[str, Any]) -> str:
    """Return the link that opens Slack's *Create app* page with the manifest filled in."""
    written = json.dumps(manifest, separators=(",", ":"))
    return f"https://api.slack.com/apps?new_app=1&manifest_json={quote(written, safe='')}"


def _allow_several_workspaces(manifest: dict[str, Any], base: str) -> None:
    """Allow installation from Usher's own page, even for whole organisations. Slack's tokens will expire."""
    manifest["oauth_config"]["redirect_urls"].append(base + INSTALL_REDIRECT_PATH)
    manifest["settings"]["org_deploy_enabled"] = True
    manifest["settings"]["token_rotation_enabled"] = True


def _build_common(command: str, job_command: str) -> dict[str, Any]:
    for one in (command, job_command):
        if not one.startswith("/") or not 2 <= len(one) <= 32 or one != "".join(one.split()).lower():
            raise ValueError("a slash command is / and up to 31 characters, in lower case and without spaces")
    if command == job_command:
        raise ValueError("workspaces and jobs need two different slash commands")
    return {
        "display_information": {
            "name": "Usher",
            "description": "Start, stop and open your cloud workspaces from Slack, with your own account.",
            "long_description": _LONG_DESCRIPTION.format(command=command, job_command=job_command),
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "usher", "always_online": True},
            "shortcuts": [
                {
                    "name": "Start a workspace",
                    "type": "global",
                    "callback_id": "start_workspace",
                    "description": "Choose one of your workspaces and start it",
                }
            ],
            "slash_commands": [
                {
                    "command": command,
                    "description": "Start, stop and open your workspaces",
                    "usage_hint": "list | start NAME | stop NAME | open NAME | link | help",
                    # Slack then sends mentioned people and channels as ids, because names may not be unique.
                    "should_escape": True,
                },
                {
                    "command": job_command,
                    "description": "Run jobs and follow them",
                    "usage_hint": "list | run | status NAME | logs NAME | stop NAME | help",
                    "should_escape": True,
                },
            ],
        },
        "oauth_config": {
            "scopes": {
                "user": sorted(USER_SCOPES),
                "bot": sorted({*BOT_SCOPES, *OPTIONAL_SCOPES}),
                "bot_optional": sorted(OPTIONAL_SCOPES),
            }
        },
        "settings": {
            "event_subscriptions": {"bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def _require_https(url: str) -> str:
    from bot.support.addresses import public_origin  # noqa: PLC0415 - imports aiohttp, which `--help` doesn't need

    try:
        base = public_origin(url)
    except ValueError:
        base = ""
    if not base.startswith("https://"):
        raise ValueError("the address must be https, without a path, such as https://usher.example.org")
    return base
