"""Tests of the reconciler and the notifier on a real store, with a fake provider and Slack on one clock."""
