"""Hooks: every moment at which a feature may act, of all layers.

Each layer declares its own moments, as a lower one can't name the types of a higher one: the store knows no
request, and what it calls must not import handlers.
"""

from bot.messages.hooks import MessageHooks
from bot.services.hooks import UseCaseHooks
from bot.store.hooks import StoreHooks
from bot.web.feature_pages import WebHooks
from handlers.hooks import RequestHooks


class Hooks(StoreHooks, MessageHooks, UseCaseHooks, WebHooks, RequestHooks):
    """Every moment; a feature's subclass has methods for those at which it acts."""
