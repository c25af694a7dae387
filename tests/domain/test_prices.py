"""Tests of prices: they are read as they are written in the settings, and shown with their currency."""

from decimal import Decimal

import pytest

from bot.domain.prices import MachineKind, Price, parse_amount


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("0.5", "EUR", "0.50 EUR an hour"),
        ("2", "€", "2.00 € an hour"),
        ("0.0083", "credits", "0.0083 credits an hour"),
        ("0.21", "", "0.21 an hour"),
        ("0", "EUR", "0.00 EUR an hour"),
        ("1E+1", "EUR", "10.00 EUR an hour"),
    ],
)
def test_price_is_written_with_cents_and_currency(amount, currency, words):
    assert Price(Decimal(amount), currency).label == words


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0.1, "0.1"),
        (2, "2"),
        ("0.42", "0.42"),
        (0, "0"),
        *((value, None) for value in (-1, True, "NaN", 1e9)),
    ],
)
def test_amount_is_what_can_be_a_price(value, amount):
    assert parse_amount(value) == (None if amount is None else Decimal(amount))


def test_columns_without_a_price_are_empty():
    assert MachineKind("gpu").to_columns() == {
        "template": "gpu",
        "size": None,
        "price": None,
        "currency": None,
    }
