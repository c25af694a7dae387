"""What is said of links in Slack, beside the link page."""

from __future__ import annotations

from typing import Final

TRIED: Final = (
    "{who} tried to link your {title} account *{username}*, with a token that works. I refused, and your "
    "link stays as it is. If they shouldn't have your token, replace it there and then link again."
)
TRIED_BY_APPROVAL: Final = (
    "{who} was approved to act as *{username}* on {title}, which is your account. I refused, and your link "
    "stays as it is. If one of you has the wrong username, tell your Usher admin."
)

SLACK: Final = "Slack"
TYPED: Final = (
    "That looks like a token from {titles}. I didn't use it and haven't kept it, but Slack may have. "
    "Replace it now ({where}). If you sent it as a message, delete that too. To link your account, type "
    "`{command}link` and use the page that opens."
)
#: Ids look like that, too.
TYPED_ID: Final = (
    "I can't find anything of yours with that id. If it's a workspace of yours, `{command}add` puts it on "
    "your list. If it's a token from {titles}, I haven't kept it. Replace it now ({where}). "
    "If you sent it as a message, delete that too."
)
TYPED_SLACK: Final = (
    "That looks like a Slack token. I didn't use it and haven't kept it, but others may have seen it. "
    "Replace it now ({page}). If you sent it as a message, delete that too."
)
#: Below a field of a form, where nothing is formatted.
TYPED_IN_FIELD: Final = (
    "That looks like a token from {titles}, so I haven't kept it. Replace it there, and enter something else "
    "here."
)
#: Where only an administrator can replace a token.
BY_ADMINISTRATOR: Final = "ask your Usher admin for {title}"

RESTORED: Final = (
    "My records were restored from a backup, and in them you're linked to {title}. If you ended that link "
    "recently, it's back. Type `unlink {title}` to remove it again."
)
