"""Slack's side of Usher, by subject: workspaces, jobs, class cards, links, forms, events.

The modules here are shared by all of them: a listener per kind of payload (``listeners``) finds a function by
its route (``routes``) and passes it a ``Request`` or an ``EventRequest``. The function works
out what it is about, calls a use case of ``bot`` and returns an answer; it never waits for a provider.
"""
