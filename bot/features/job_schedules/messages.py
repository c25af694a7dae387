"""Messages about schedules of jobs."""

from bot.domain.message_context import Facts
from bot.domain.notices import Answer
from bot.features.job_schedules.model import ScheduleKind
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Markup, fill
from bot.messages.blocks.renderers import renders
from bot.messages.texts import problems
from bot.messages.texts import runs as run_words


@renders(ScheduleKind.SCHEDULED)
def _render_scheduled(facts: Facts) -> Answer:
    """Render whether a job's schedule was set."""
    cause, cron, title = facts.word("cause"), facts.word("cron"), facts.connection_title
    template = run_words.NOT_SET if cause else run_words.SET if cron else run_words.CLEARED
    because = problems.explain_cause(cause, title)
    text = fill(template, name=facts.word("name"), title=title, cron=Markup(cron), because=because)
    return kit.message(text)
