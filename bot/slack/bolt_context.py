"""The keys in Bolt's context under which the web hands on what Slack's request is besides its payload."""

from typing import Final

#: Slack's number of a later delivery of an event; "0" is that of the first.
RETRY_NUMBER: Final = "retry_number"
#: How many bytes the body of an acknowledgement may have; missing over HTTP.
MAX_BODY_BYTES: Final = "max_body_bytes"
