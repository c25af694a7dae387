"""Keys in Bolt's context for what the web process knows of a Slack request besides its payload."""

from typing import Final

#: How often Slack has already tried to deliver the event; "0" for the first delivery.
RETRY_NUMBER: Final = "retry_number"
#: Most bytes that the body of an acknowledgement may have; not set over HTTP.
MAX_BODY_BYTES: Final = "max_body_bytes"
