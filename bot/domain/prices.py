"""Prices of an hour, and the kind of machine that has one; nothing here is guessed."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypedDict

#: Largest number that counts as a price of an hour.
MAX_PRICE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Price:
    """The price of an hour, as the provider or the operator states it.

    Attributes:
        amount: The number, in that currency.
        currency: Any word, such as ``EUR`` or ``credits``; "" if it isn't known.
    """

    amount: Decimal
    currency: str

    @property
    def label(self) -> str:
        """Return it as people read it: ``0.21 EUR an hour``, and ``0.21 an hour`` if no currency is known."""
        amount = max(self.amount, round(self.amount, 2), key=lambda one: len(f"{one:f}"))
        return " ".join(filter(None, [f"{amount:f}", self.currency, "an hour"]))


class MachineColumns(TypedDict):
    """The columns of a workspace or a run for what it runs on."""

    template: str | None
    size: str | None
    price: str | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class MachineKind:
    """What a workspace runs on, as far as is known.

    Attributes:
        template: The name of the operator's template that it was created from.
        size: The provider's name for its size.
        price: What an hour costs; None if nobody states it.
    """

    template: str | None = None
    size: str | None = None
    price: Price | None = None

    def to_columns(self) -> MachineColumns:
        """Return the columns of a workspace or a run."""
        price = self.price
        return {
            "template": self.template,
            "size": self.size,
            "price": None if price is None else f"{price.amount:f}",
            "currency": None if price is None else price.currency,
        }


@lru_cache(maxsize=256)
def parse_price(amount: str | None, currency: str | None) -> Price | None:
    """Return the price that a row has; None if it has none."""
    return None if amount is None else Price(Decimal(amount), currency or "")


def parse_amount(value: Any) -> Decimal | None:
    """Return a number from outside as the price of an hour; None if it can't be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < MAX_PRICE else None
