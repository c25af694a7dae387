"""Texts about whose account it is: proofs, and what administrators and others are asked about it."""

from typing import Final

#: Once a proof has ended an approved link: to whom the account belongs, and to the administrators.
PROVEN_OWN: Final = (
    "Until now, {who} was linked to your {title} account *{username}*, without having proven that it's "
    "theirs. I've ended that link. If you didn't know about it, look there at what was done as you."
)
PROVEN: Final = (
    "{owner} has proven that *{username}* on {title} is theirs. {who} was linked to it without a proof, so "
    "I've ended that link and told both. Find out how it came to that."
)
