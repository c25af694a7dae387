"""Slack's side of Usher, by subject: workspaces, jobs, class cards, links, forms, events.

What stands here is shared by all of them: a listener per kind of payload (``listeners``) finds a function by
its route (``routes``) and hands it a ``Request``, a ``Submission`` or an ``Occurrence``. The function finds
out what is meant, calls a use case of ``bot`` and returns what to answer; it never waits for a provider.
"""
