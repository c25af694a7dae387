"""The values that people last entered in forms, kept as suggestions for the next time."""

from collections.abc import Mapping
from typing import Any

from bot.domain.people import Principal
from bot.store.tables import FORM_VALUES
from bot.store.transaction import Priority, Transaction, from_json, prioritize


@prioritize(Priority.URGENT)
def remember(
    tx: Transaction, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
) -> None:
    """Save the values that a person entered in a form, for the next time. Unlinking deletes them."""
    FORM_VALUES.upsert(tx, principal=principal, connection=connection, purpose=purpose, payload=dict(values))


def find_form_values(tx: Transaction, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
    """Return the values that a person last entered in a form, or an empty dict."""
    row = FORM_VALUES.row(tx, principal=principal, connection=connection, purpose=purpose)
    values: dict[str, Any] = {} if row is None else from_json(row["payload"])
    return values
