"""Context keys for the values that Usher adds to Bolt's context because the payload doesn't contain them."""

from typing import Final

#: Context key for the number of times that Slack has already tried to deliver an event ("0" at first).
RETRY_NUMBER: Final = "retry_number"
#: Context key for the maximum size of an acknowledgement's body, in bytes. Requests that arrive over HTTP
#: don't have it.
MAX_BODY_BYTES: Final = "max_body_bytes"
