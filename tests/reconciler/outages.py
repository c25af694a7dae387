"""Administrators, and what they hear of an outage."""

AMIR, ROSA = "UAMIR", "UROSA"


def told(world, user=AMIR):
    """Return what a user was told of outages, in order."""
    return [
        message["blocks"][0]["text"]["text"]
        for message in world.slack.messages
        if message["channel"] == f"D{user}" and "metadata" in message
    ]
