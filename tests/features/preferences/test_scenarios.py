"""Settings from the form to the message that comes, or doesn't, over signed HTTP."""
