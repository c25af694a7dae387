"""The Slack-facing side of Usher, by subject: workspaces, jobs, class cards, links, forms, events.

The modules in this folder are shared by all subjects. Each kind of payload has one listener (``listeners``),
which looks up a function by its route (``routes``) and passes it a ``Request`` or an ``EventRequest``. The
function works out what the user means, calls a use case of ``bot`` and returns an answer. It never waits for
a provider.
"""
