"""What is said of links in Slack, beside the link page."""

from __future__ import annotations

from typing import Final

TRIED: Final = (
    "{who} tried to link your {title} account *{username}*, with a token that works. I refused, and your "
    "link stays as it is. If they shouldn't have your token, renew it on {title} and then link again."
)
TRIED_BY_APPROVAL: Final = (
    "{who} was approved to act as *{username}* on {title}, which is your account. I refused, and your link "
    "stays as it is. If one of you has the wrong username, tell your Usher admin."
)
