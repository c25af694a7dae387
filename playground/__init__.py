"""Local stand-ins for Slack and the providers, faithful to their documents, each runnable alone.

Nothing in ``bot`` or ``handlers`` imports this package, and it imports nothing of theirs: it obeys the
documents, not our client.
"""
