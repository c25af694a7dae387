"""Block Kit with its published limits: refuses what Slack refuses, in similar words."""

from __future__ import annotations

from playground.slack.kit.blocks import check_attachments, check_message, check_options
from playground.slack.kit.views import check_view

__all__ = ["check_attachments", "check_message", "check_options", "check_view"]
