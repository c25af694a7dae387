"""Usher except for its Slack listeners: models, rules, store, providers, reconciler, notifier, web pages."""
