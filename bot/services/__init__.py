"""What people can do, and how their input is read: names, forms, times; no payload of Slack is known here."""
