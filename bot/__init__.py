"""Usher without its Slack listeners: models, rules, store, providers, reconciler, notifier, web pages."""
