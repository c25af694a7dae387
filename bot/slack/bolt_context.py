"""Keys for the values that Usher adds to Bolt's context because Slack's payload doesn't contain them."""

from typing import Final

#: Number of times that Slack has already tried to deliver an event ("0" at first).
RETRY_NUMBER: Final = "retry_number"
#: Maximum size of an acknowledgement's body, in bytes. Not set for requests that arrive over HTTP.
MAX_BODY_BYTES: Final = "max_body_bytes"
