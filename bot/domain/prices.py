"""Hourly prices of machines, as stated by providers and operators. Usher never guesses a price."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

#: Hourly prices must be lower than this. An operator's setting with a higher price is invalid, and a higher
#: price from a provider is ignored.
MAX_PRICE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Price:
    """A price per hour, as stated by the provider or the operator.

    Attributes:
        amount: The amount, in ``currency``.
        currency: Any word, such as ``EUR`` or ``credits``; "" if it isn't known.
    """

    amount: Decimal
    currency: str

    @property
    def label(self) -> str:
        """Return the price as users see it, such as ``0.21 EUR an hour``. An unknown currency is left out."""
        amount = max(self.amount, round(self.amount, 2), key=lambda one: len(f"{one:f}"))
        return " ".join(filter(None, [f"{amount:f}", self.currency, "an hour"]))


@dataclass(frozen=True, slots=True)
class MachineKind:
    """The kind of machine that a workspace runs on, as far as it is known.

    Attributes:
        template: The name of the operator's template that it was created from.
        size: The provider's name for its size.
        price: The price per hour; None if it isn't stated.
    """

    template: str | None = None
    size: str | None = None
    price: Price | None = None

    def to_columns(self) -> dict[str, Any]:
        """Return these facts as the columns of a workspace or a run."""
        price = self.price
        return {
            "template": self.template,
            "size": self.size,
            "price": None if price is None else f"{price.amount:f}",
            "currency": None if price is None else price.currency,
        }


@lru_cache(maxsize=256)
def parse_price(amount: str | None, currency: str | None) -> Price | None:
    """Return the price stored in a row, or None if the row has none."""
    return None if amount is None else Price(Decimal(amount), currency or "")


def parse_amount(value: Any) -> Decimal | None:
    """Parse a number from outside Usher as an hourly price, or return None if it can't be a price."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < MAX_PRICE else None
