"""The features: each is a folder that can be deleted with its line here, and the rest goes on."""

from typing import Final

#: The features by name, in the order in which they act; each comes after those that it needs.
FEATURES: Final = (
    "preferences",
    "approvals",
    "expiries",
    "hours",
    "courses",
    "waitlist",
    "assistant",
)
