"""Messages about records that the database has lost, or that a restored backup brought back."""

from bot.domain.message_context import Facts, WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import list_buttons
from bot.messages.blocks.cards import get_name, notice
from bot.messages.blocks.kit import fill
from bot.messages.blocks.renderers import renders
from bot.messages.texts import cards, notices, pages


@renders(NoticeKind.WRITES_LOST)
def render_lost_records(facts: WorkspaceFacts) -> Answer:
    """Say that records were lost. If the workspace has been read since then, also say what state it is in."""
    workspace = facts.workspace
    if workspace is None or (workspace.observed_at or 0.0) < facts.time("detected_at"):
        return notice(notices.LOST_REQUEST, facts, name=get_name(facts))
    keep = kit.button(cards.KEEP, ButtonValue("needed", workspace.id), style=kit.PRIMARY)
    buttons = [*([keep] if facts.is_up else []), *list_buttons(facts)]
    return notice(notices.LOST, facts, buttons, state=cards.STATES[workspace.state].lower())


@renders(NoticeKind.BACKUP_RESTORED)
def _render_restored(facts: Facts) -> Answer:
    return replies.answer(fill(pages.RESTORED, title=facts.connection_title))
