"""Local stand-ins for Slack and the providers, which follow their documents; each can be run alone.

``bot`` and ``handlers`` don't import this package, and it doesn't import them: it follows the documents, not
our client.
"""
