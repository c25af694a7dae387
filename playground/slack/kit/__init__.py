"""Block Kit with the limits of its reference: what Slack refuses is refused here in similar words."""

from __future__ import annotations

from playground.slack.kit.blocks import check_attachments, check_message, check_options
from playground.slack.kit.views import check_view

__all__ = ["check_attachments", "check_message", "check_options", "check_view"]
