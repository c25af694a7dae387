"""The methods of the Web API; each module registers its own in the table."""

from __future__ import annotations

from playground.slack.methods import chat, conversations, files, identity, oauth, users, views
from playground.slack.methods.table import METHODS, Method

__all__ = ["METHODS", "Method", "chat", "conversations", "files", "identity", "oauth", "users", "views"]
