"""What a form's handler receives, and the ways it can respond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.models import Principal
from bot.messages.blocks.hints import as_typed
from bot.messages.blocks.limits import cut
from bot.services.asked import Asked
from bot.support.visible import clean
from handlers.services import Services

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

    @property
    def asked(self) -> Asked:
        """Return who asks for what the form says, for the use cases."""
        return Asked(self.services.context, self.principal, self.interaction, self.reference)

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
