"""What a form carries: what it is for, and what is filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.forms import Form, Purpose, Value, Values
from bot.messages.blocks import forms
from bot.messages.texts import verbs
from bot.support.errors import Refused
from handlers.linking.connections import makers
from handlers.services import Services

PURPOSES: tuple[Purpose, ...] = ("workspace", "job")


@dataclass(frozen=True, slots=True)
class Making:
    """Say what a form is for. The form carries it as keys, and it is authorised again each time."""

    connection: str
    purpose: Purpose
    channel_id: str = ""
    #: Who wrote the message that the command is from; empty for the person's own words.
    author: str = ""
    #: Values that other fields depend on: a search arrives without the contents of the form's inputs.
    chosen: Mapping[str, Value] = field(default_factory=dict)
    #: The defaults of text fields: left unchanged, they follow the choices in other fields.
    proposed: Mapping[str, Value] = field(default_factory=dict)

    def metadata(self, form: Form, values: Values) -> dict[str, Any]:
        """Return it as the form carries it, with the values that its other fields depend on."""
        chosen = {one.name: values[one.name] for one in form.fields if one.redraws and one.name in values}
        proposed = {
            one.name: one.initial
            for one in form.fields
            if forms.is_typed(one) and one.initial and values.get(one.name) == one.initial
        }
        return {
            "connection": self.connection,
            "purpose": self.purpose,
            "channel_id": self.channel_id,
            **({"author": self.author} if self.author else {}),
            "chosen": chosen,
            "proposed": proposed,
        }

    @classmethod
    def of_view(cls, view: Mapping[str, Any], services: Services) -> Making:
        """Read it back from a form; raises Refused for one of an earlier release or of a lost connection."""
        try:
            metadata = json.loads(str(view.get("private_metadata") or ""))
            connection, purpose = str(metadata["connection"]), metadata["purpose"]
            channel_id, author = (str(metadata.get(key) or "") for key in ("channel_id", "author"))
            chosen, proposed = (
                {str(name): value_of(value) for name, value in dict(metadata.get(key) or {}).items()}
                for key in ("chosen", "proposed")
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refused("form.outdated", verbs.OUTDATED) from None
        if purpose not in ("workspace", "job") or connection not in makers(services, purpose):
            raise Refused("form.outdated", verbs.OUTDATED)
        return cls(connection, purpose, channel_id, author, chosen, proposed)


def value_of(value: Any) -> Value:
    """Return a remembered value in its original type: tuples come back from the store as lists."""
    return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)
