"""Slack's side of Usher, by subject: workspaces, jobs, class cards, links, forms, events.

The modules in this folder are shared by all subjects. A listener for each kind of payload (``listeners``)
finds a function by its route (``routes``) and passes it a ``Request`` or an ``EventRequest``. The function
works out what is meant, calls a use case of ``bot`` and returns an answer; it never waits for a provider.
"""
