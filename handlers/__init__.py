"""The Slack-facing side of Usher, by subject: workspaces, jobs, class cards, links, forms, events.

All subjects share the modules in this folder. For each kind of payload there is one listener (``listeners``).
It looks up a function by its route (``routes``) and passes it a ``Request`` or an ``EventRequest``. The
function works out what the user means, calls a use case of ``bot`` and returns an answer; it never waits for
a provider.
"""
