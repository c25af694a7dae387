"""Administrators, and the messages about an outage that they get."""

AMIR, ROSA = "UAMIR", "UROSA"


def told(world, user=AMIR):
    """Return the messages about outages that a user got, in order."""
    return [
        message["blocks"][0]["text"]["text"]
        for message in world.slack.messages
        if message["channel"] == f"D{user}" and "metadata" in message
    ]
