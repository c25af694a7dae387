"""The Slack listeners: one per kind, each handing over to one small file per verb, view or event."""
