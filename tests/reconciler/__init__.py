"""The reconciler and the notifier over a real store, with a provider and a Slack that move with the clock."""
