"""Warnings that a link will soon expire, or that a provider will soon end a workspace."""

from collections.abc import Mapping
from typing import Final

from bot.domain.message_context import Facts, WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.stops import ExpiryMode, is_final
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import (
    format_stop_risk,
    list_buttons,
    list_extend_button,
    open_buttons,
    remove_button,
)
from bot.messages.blocks.cards import link_again_button, notice
from bot.messages.blocks.renderers import renders
from bot.messages.texts import notices, problems, times


@renders(NoticeKind.LINK_EXPIRY, is_true=lambda facts: facts.link_is_ending)
def _render_link_end(facts: Facts) -> Answer:
    at = facts.time("expires_at")
    left = at - facts.now
    # A reminder arrives slightly after it is due, when a little less than an hour or a day is left. Round the
    # time left, so that it still says "an hour" or "a day".
    unit = 3600 if left >= 3600 else 60
    names = {
        "at": kit.moment_at(at, facts.now, facts.zone),
        "left": times.format_duration(max(round(left / unit), 1) * unit),
    }
    again = [link_again_button(facts)]
    return notice(notices.LINK_ENDING, facts, again, **names)


def _is_coming(facts: WorkspaceFacts) -> bool:
    ends_at = facts.workspace.expires_at if facts.workspace is not None else None
    if ends_at is None or ends_at <= facts.now:
        return False
    return abs(ends_at - float(facts.body.get("expires_at") or ends_at)) < 60.0


@renders(NoticeKind.WORKSPACE_EXPIRY, is_true=_is_coming)
def render_workspace_end(facts: WorkspaceFacts) -> Answer:
    """Warn that a provider will end a workspace, based on the workspace's current row."""
    workspace = facts.workspace
    if workspace is None or workspace.expires_at is None or workspace.expiry_mode is None:
        return notice(
            "*{name}* on {title} was due to stop by itself. Type `list` to see where things stand.", facts
        )
    # If a stop would end the workspace permanently, call a stop by the provider a removal.
    expiry_mode: ExpiryMode = "removed" if is_final(facts.effects, "stop") else workspace.expiry_mode
    left = workspace.expires_at - facts.now
    names = {
        "left": times.format_duration(left if left < 60 else round(left / 60) * 60),
        "at": kit.moment_at(workspace.expires_at, facts.now, facts.zone),
    }
    small = [format_stop_risk(workspace)] if format_stop_risk(workspace) else []
    if workspace.state is State.RUNNING:
        template, buttons = _ENDING[expiry_mode], [*open_buttons(facts), *list_extend_button(facts)]
    else:
        template, buttons = notices.ENDING_REMOVED, list_buttons(facts, State.STOPPED)
    if facts.may("remove") and template not in {notices.ENDING_STOPS, notices.ENDING_REGARDLESS}:
        buttons.append(remove_button(workspace))
    return notice(template, facts, buttons, small=small, **names)


_ENDING: Final[Mapping[ExpiryMode, str]] = {
    "stops": notices.ENDING_STOPS,
    "stops_anyway": notices.ENDING_REGARDLESS,
    "removed": (
        "{title} removes *{name}* in {left}, {at}, because its time is up. "
        "Save what you need from it before then."
    ),
}


@renders(NoticeKind.WORKSPACE_EXTENDED)
def _render_extension(facts: WorkspaceFacts) -> Answer:
    if not (cause := facts.word("cause")):
        return notice(
            notices.EXTENDED, facts, list_buttons(facts), at=kit.moment_at(facts.time("until"), facts.now)
        )
    said = kit.Markup(kit.safe(problems.explain_cause(cause, facts.connection_title)))
    return notice("{title} doesn't let *{name}* run longer. {cause}", facts, list_buttons(facts), cause=said)
