"""The worlds in which features are tested: those of the store, the handlers, the engine and the whole bot."""

from tests.contract.store.conftest import (
    _note_marked_case,
    account,
    clock,
    contents,
    database,
    pytest_generate_tests,
    store,
    workspace,
)
from tests.handlers.conftest import bot
from tests.reconciler.conftest import runs, world
from tests.scenarios.conftest import bare, cloud, just_linked, linked
from tests.security.conftest import made

__all__ = [
    "_note_marked_case",
    "account",
    "bare",
    "bot",
    "clock",
    "cloud",
    "contents",
    "database",
    "just_linked",
    "linked",
    "made",
    "pytest_generate_tests",
    "runs",
    "store",
    "workspace",
    "world",
]
