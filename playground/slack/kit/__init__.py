"""Block Kit as its reference limits it: what Slack refuses is refused here with the same kind of words."""

from __future__ import annotations

from playground.slack.kit.blocks import check_attachments, check_message, check_options
from playground.slack.kit.views import check_view

__all__ = ["check_attachments", "check_message", "check_options", "check_view"]
