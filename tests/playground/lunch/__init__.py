"""A small app of somebody else's, which runs against the local Slack without Usher."""
