"""Usher's Slack-facing side: what people can do with workspaces, jobs, class cards, links and forms.

Each kind of payload has one listener (``listeners``), which looks up a function by its route
(``requests.routes``) and passes it a ``Request`` or an ``EventRequest``. The function works out what the user
means, calls a use case of ``bot`` and returns an answer. It never waits for a provider.
"""
