"""Tests of stored secrets: each decrypts only for its own row, and keys rotate without downtime."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bot.support.errors import SecretError
from bot.support.vault import Vault, row_key

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
ROW = row_key("-:T1:U1", "saturn")


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=4))
def test_what_was_sealed_opens_again(secret):
    vault = Vault([NEW])
    assert vault.open(ROW, vault.seal(ROW, secret)) == secret


def test_ciphertext_shows_neither_secret_nor_row():
    sealed = Vault([NEW]).seal(ROW, {"token": "canary-0123456789"})
    assert "canary" not in sealed
    # Search for the whole key, since two of its letters may be in any ciphertext by chance.
    assert "T1:U1" not in sealed


@pytest.mark.parametrize(
    "row", [row_key("-:T1:U2", "saturn"), row_key("-:T1:U1", "hub"), row_key("E1:T1:U1", "saturn"), ""]
)
def test_a_swapped_row_refuses(row):
    vault = Vault([NEW])
    sealed = vault.seal(ROW, {"token": "canary-0123456789"})
    with pytest.raises(SecretError) as refused:
        vault.open(row, sealed)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("sealed", ["", "gAAAAA", "not a token", "é", "\x00"])
def test_what_was_never_sealed_refuses(sealed):
    with pytest.raises(SecretError):
        Vault([NEW]).open(ROW, sealed)


def test_a_changed_letter_refuses():
    vault = Vault([NEW])
    sealed = vault.seal(ROW, {"token": "t"})
    middle = len(sealed) // 2
    changed = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    with pytest.raises(SecretError):
        vault.open(ROW, changed)


def test_keys_rotate_without_a_stop():
    sealed = Vault([OLD]).seal(ROW, {"token": "t"})
    both = Vault([NEW, OLD])
    assert both.open(ROW, sealed) == {"token": "t"}
    rotated = both.rotate(sealed)
    assert Vault([NEW]).open(ROW, rotated) == {"token": "t"}
    with pytest.raises(SecretError):
        Vault([OLD]).open(ROW, rotated)


def test_what_no_key_opens_does_not_rotate():
    with pytest.raises(SecretError):
        Vault([NEW]).rotate(Vault([OTHER]).seal(ROW, {"token": "t"}))
