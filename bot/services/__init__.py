"""What people mean and can do: names, filled-in forms, times; nothing here knows Slack's payloads."""
