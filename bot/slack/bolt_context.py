"""Keys of the facts that Usher adds to Bolt's context because the payload doesn't contain them."""

from typing import Final

#: Key of the number of times that Slack has already tried to deliver an event: "0" for the first delivery.
RETRY_NUMBER: Final = "retry_number"
#: Key of the maximum size of an acknowledgement's body, in bytes. It isn't set for requests that arrive over
#: HTTP.
MAX_BODY_BYTES: Final = "max_body_bytes"
