"""What a form's handler receives, and the ways it can respond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bot.messages.blocks.forms import field_of
from bot.messages.blocks.hints import as_typed, in_view
from bot.messages.blocks.limits import cut
from bot.messages.texts import answers, problems, times
from bot.store.interactions import one_request
from bot.support.errors import Refused
from bot.support.visible import clean
from handlers import routes
from handlers.mistyped import token_in_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.models import Principal
    from handlers.services import Services

log = structlog.get_logger(__name__)

#: The fields of each form in which no secret belongs; a program's arguments are the person's own business.
_PLAIN_FIELDS = {
    "ask_link": ("username",),
    "code": ("code",),
    "make": ("name",),
    "remove": ("name",),
    "stop_later": ("other",),
}
#: Slack shows a line or two below a field.
_ERROR = 300


@dataclass(frozen=True, slots=True)
class Submission:
    """Hold a submitted form. Values are only keys or texts: rows are read and authorised again."""

    principal: Principal
    callback_id: str
    view: Mapping[str, Any]
    services: Services
    interaction: str
    reference: str

    def value(self, block_id: str) -> str:
        """Return what was typed into the only field of a block; empty if there is none."""
        fields = self.view.get("state", {}).get("values", {}).get(block_id, {})
        value = next((field.get("value") for field in fields.values()), None)
        return value if isinstance(value, str) else ""

    def choice(self, block_id: str) -> str:
        """Return the value of what was chosen in the only menu of a block; empty if nothing was."""
        fields = self.view.get("state", {}).get("values", {}).get(block_id, {})
        option = next((field.get("selected_option") for field in fields.values()), None) or {}
        value = option.get("value")
        return value if isinstance(value, str) else ""

    def error(self, block_id: str, text: str) -> dict[str, Any]:
        """Return the response that shows a sentence at a field, as plain text."""
        slash = self.services.slash
        text = as_typed(text, f"{slash('workspace')} ", f"{slash('job')} ")
        return {"response_action": "errors", "errors": {block_id: cut(clean(text), _ERROR)}}


async def submit(submission: Submission) -> dict[str, Any]:
    """Authorise the person and run the form's handler; errors are shown at its first field."""
    logger = log.bind(
        reference=submission.reference, view=submission.callback_id, principal=submission.principal.key
    )
    handler = routes.view.get(submission.callback_id)
    if handler is None:
        logger.warning("no such form")
        return {"response_action": "clear"}
    wait = submission.services.limiter.take(submission.principal.key)
    if wait > 0:
        logger.info("too many requests")
        sentence = answers.TOO_MANY.format(wait=times.duration(max(wait, 1.0)))
        return submission.error(first_field(submission.view), sentence)
    for block_id in submission.view.get("state", {}).get("values", {}):
        if field_of(block_id) not in _PLAIN_FIELDS.get(submission.callback_id, ()):
            continue
        value = submission.value(block_id)
        sentence = await token_in_field(submission.services, submission.principal, value)
        if sentence:
            logger.info("refused", rule="form.token")
            return {"response_action": "errors", "errors": {block_id: sentence}}
    try:
        with one_request():
            await submission.services.authority.check(submission.principal, f"view.{submission.callback_id}")
            answer: dict[str, Any] = await handler(submission)
    except Refused as refusal:
        logger.info("refused", rule=refusal.rule)
        return submission.error(first_field(submission.view), refusal.text)
    except Exception as error:
        logger.exception("failed", problem=error)
        sentence = f"{problems.sentence(error)} ({submission.reference})"
        return submission.error(first_field(submission.view), sentence)
    logger.info("answered")
    if "view" in answer:
        slash = submission.services.slash
        return {**answer, "view": in_view(answer["view"], slash("workspace"), slash("job"))}
    return answer


def first_field(view: Mapping[str, Any]) -> str:
    """Return the block at which an error about the whole form is shown."""
    inputs = [block for block in view.get("blocks", ()) if block.get("type") == "input"]
    return str(inputs[0].get("block_id", "")) if inputs else ""
