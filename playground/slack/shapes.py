"""People, conversations and threads in the format of Slack's methods."""

from __future__ import annotations

from playground.slack.records import Channel, Json, Message, Person
from playground.slack.state import State


def user(state: State, person: Person, *, email: bool, locale: bool = False) -> Json:
    """Return a person as in users.info and users.list. The e-mail address requires ``users:read.email``."""
    first, _, last = person.real_name.partition(" ")
    profile: Json = {
        "title": person.title,
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "team": person.team_id,
        "image_72": f"{state.base_url}/_page/face/{person.id}.svg",
    }
    if email and person.email:
        profile["email"] = person.email
    if person.bot_id:
        profile |= {"bot_id": person.bot_id, "api_app_id": state.app.id}
    found: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "profile": profile,
        "is_bot": person.is_bot,
        "is_app_user": person.is_app_user,
        "updated": person.updated,
    }
    if not person.deleted:
        found |= {
            "color": person.color,
            "real_name": person.real_name,
            "tz": person.tz,
            "tz_label": person.tz_label,
            "tz_offset": person.tz_offset,
            "is_admin": person.is_admin,
            "is_owner": person.is_owner,
            "is_primary_owner": person.is_primary_owner,
            "is_restricted": person.is_restricted,
            "is_ultra_restricted": person.is_ultra_restricted,
            "is_email_confirmed": True,
            "who_can_share_contact_card": "EVERYONE",
        }
    if person.team_id != state.team.id:
        found["is_stranger"] = state.is_stranger(person)
    home = state.teams.get(person.team_id)
    if home is not None and home.enterprise_id:
        found["enterprise_user"] = {
            "id": person.id,
            "enterprise_id": home.enterprise_id,
            "enterprise_name": home.enterprise_name,
            "is_admin": person.is_admin,
            "is_owner": person.is_owner,
            "teams": [person.team_id],
        }
    if locale:
        found["locale"] = person.locale
    return found


def conversation(state: State, channel: Channel, *, num_members: bool = False) -> Json:
    """Return a conversation as conversations.info shows it to the bot."""
    shared = bool(channel.shared_with)
    common: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "is_ext_shared": shared,
        "is_shared": shared,
        "context_team_id": state.team.id,
        "updated": channel.created * 1000,
    }
    if channel.kind == "im":
        deleted = bool(channel.user and state.people[channel.user].deleted)
        return {**common, "user": channel.user, "is_user_deleted": deleted, "is_open": True, "priority": 0}
    found: Json = {
        **common,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_mpim": False,
        "is_private": channel.kind == "group",
        "is_general": channel.name == "general",
        "is_member": state.app.bot_user in channel.members,
        "is_pending_ext_shared": False,
        "unlinked": 0,
        "creator": state.app.bot_user,
        "parent_conversation": None,
        "shared_team_ids": [state.team.id, *channel.shared_with],
        "internal_team_ids": [],
        "connected_team_ids": channel.shared_with,
        "pending_shared": [],
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
    }
    if num_members:
        found["num_members"] = len(channel.members)
    return found


def thread_of(state: State, message: Message) -> Json:
    """Return the fields with which a message describes its replies, or none if there are no replies."""
    replies = [
        other
        for other in state.messages.get(message.channel, [])
        if other.thread_ts == message.ts and other is not message and other.only_for is None
    ]
    if not replies:
        return {}
    people = list(dict.fromkeys(other.user for other in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "reply_users": people[:5],
        "is_locked": False,
        "subscribed": False,
    }
