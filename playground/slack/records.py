"""The records of a workspace: people, channels, messages, files, views, tokens and the app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Team:
    """A Slack workspace, perhaps within an enterprise organisation."""

    id: str
    domain: str
    name: str
    enterprise_id: str | None = None
    enterprise_name: str | None = None

    def enterprise(self) -> Json | None:
        """Return the enterprise as in interactive payloads, or null if there is none."""
        if self.enterprise_id is None:
            return None
        return {"id": self.enterprise_id, "name": self.enterprise_name or self.enterprise_id}


@dataclass(slots=True)
class Person:
    """A user: a person or a bot. ``role`` is the description shown on the page."""

    id: str
    name: str
    real_name: str
    team_id: str
    role: str = "member"
    deleted: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_primary_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    is_app_user: bool = False
    bot_id: str | None = None
    email: str | None = None
    title: str = ""
    color: str = "4bbe2e"
    tz: str = "Europe/London"
    tz_label: str = "Greenwich Mean Time"
    tz_offset: int = 0
    locale: str = "en-GB"
    updated: int = 0


@dataclass(slots=True)
class Channel:
    """A conversation: ``kind`` is channel, group (private) or im (direct message)."""

    id: str
    name: str
    kind: str = "channel"
    members: set[str] = field(default_factory=set)
    shared_with: list[str] = field(default_factory=list)
    topic: str = ""
    created: int = 0
    is_archived: bool = False
    #: What apps may not post here: nothing (""), any message ("any") or, named by the end of Slack's error
    #: code, any message ("read_only_channel"), new messages ("thread_only_channel") or replies
    #: ("non_threadable_channel").
    restricts: str = ""
    #: The timestamps of messages whose threads administrators have locked.
    locked: set[str] = field(default_factory=set)
    user: str | None = None

    @property
    def scope_family(self) -> str:
        """Return the first part of the scopes for this kind of conversation: channels, groups or im."""
        return {"channel": "channels", "group": "groups", "im": "im"}[self.kind]


@dataclass(slots=True)
class Message:
    """A message. If it is ephemeral, ``only_for`` is the person who sees it."""

    ts: str
    channel: str
    user: str
    text: str
    team: str
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    bot_id: str | None = None
    app_id: str | None = None
    metadata: Json | None = None
    thread_ts: str | None = None
    reply_broadcast: bool = False
    edited: Json | None = None
    only_for: str | None = None
    files: list[Json] | None = None
    client_msg_id: str | None = None
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    from_slack: bool = False

    def to_json(self, *, metadata: bool = True) -> Json:
        """Return the message as in Slack's methods and payloads."""
        found: Json = {
            "type": "message",
            "user": self.user,
            "ts": self.ts,
            "text": self.text,
            "team": self.team,
        }
        optional = {
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "client_msg_id": self.client_msg_id,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "thread_ts": self.thread_ts,
            "edited": self.edited,
            "metadata": self.metadata if metadata else None,
        }
        found.update({key: value for key, value in optional.items() if value is not None})
        if self.files:
            found |= {"files": self.files, "upload": False, "display_as_bot": False}
        return found


@dataclass(slots=True)
class File:
    """A file of the app. It is announced, uploaded and then completed, which may share it."""

    id: str
    name: str
    length: int
    user: str
    created: int
    secret: str
    title: str
    alt_txt: str = ""
    snippet_type: str = ""
    content: bytes | None = None
    complete: bool = False
    #: Where the file was shared: channel, timestamp of the message, and timestamp of the thread's parent.
    shares: list[tuple[str, str, str | None]] = field(default_factory=list)


@dataclass(slots=True)
class View:
    """A modal or Home tab that the app has opened for a person."""

    id: str
    user: str
    definition: Json
    hash: str
    root: str
    previous: str | None = None
    #: The conversation in which the person opened it.
    channel: str | None = None
    values: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None

    def to_json(self, app: App, team: Team) -> Json:
        """Return the view as in methods and payloads, with the values entered so far."""
        given = self.definition
        empty: Json = {
            "title": None, "close": None, "submit": None, "private_metadata": "", "callback_id": "",
            "external_id": "", "clear_on_close": False, "notify_on_close": False,
        }  # fmt: skip
        return {
            **empty,
            **given,
            "id": self.id,
            "team_id": team.id,
            "hash": self.hash,
            "state": {"values": self.values},
            "root_view_id": self.root,
            "previous_view_id": self.previous,
            "app_id": app.id,
            "app_installed_team_id": team.id,
            "bot_id": app.bot_id,
        }


@dataclass(slots=True)
class Token:
    """A credential; ``kind`` is bot, app or user."""

    value: str
    kind: str
    user: str | None
    scopes: tuple[str, ...]
    revoked: bool = False
    #: With token rotation: when the token expires, and the refresh token for the next one, which can be used
    #: once.
    expires_at: float | None = None
    refresh: str | None = None


@dataclass(slots=True)
class App:
    """The installed app, as described by its manifest."""

    id: str
    name: str
    bot_user: str
    bot_id: str
    client_id: str
    client_secret: str
    signing_secret: str
    verification_token: str
    scopes: list[str] = field(default_factory=list)
    commands: dict[str, Json] = field(default_factory=dict)
    #: Maps each callback_id to the shortcut's ``type`` (global or message) and ``name``.
    shortcuts: dict[str, Json] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    unfurl_domains: list[str] = field(default_factory=list)
    redirect_urls: list[str] = field(default_factory=list)
    request_url: str | None = None
    #: The URL at which Slack's assistant calls the app's tools.
    assistant_url: str | None = None
    #: Scopes that people may grant when they sign in; None if no manifest limits them.
    user_scopes: list[str] | None = None
    home_tab: bool = True
    messages_tab: bool = True
    installed: bool = True
    is_enterprise_install: bool = False
    #: Whether tokens expire after twelve hours.
    token_rotation: bool = False
    #: Whether answers list the token's scopes.
    tells_scopes: bool = True


@dataclass(slots=True)
class Trigger:
    """Allows the app to open one view within three seconds."""

    id: str
    user: str
    made: float
    view: str | None = None
    channel: str | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Allows the app to answer an interaction up to five times within 30 minutes."""

    path: str
    channel: str
    user: str
    made: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0
    original: str | None = None
