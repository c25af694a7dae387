"""A small app by somebody else, which runs against the local Slack without Usher."""
