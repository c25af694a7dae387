"""Keys under which the web process adds facts to Bolt's context that aren't in the payload."""

from typing import Final

#: How many times Slack had already tried to deliver the event; "0" for the first delivery.
RETRY_NUMBER: Final = "retry_number"
#: Maximum size of an acknowledgement's body, in bytes; not set if requests arrive over HTTP.
MAX_BODY_BYTES: Final = "max_body_bytes"
