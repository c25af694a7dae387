"""A helper for forged clicks."""

from playground.slack import payloads


def pressed(world, action_id, **chosen):
    """Return a click by Olivia that no message has offered her."""
    state = world.slack.state
    channel = state.channels["C0GENERAL"]
    action = {"action_id": action_id, "block_id": "b", "action_ts": "1.5", **chosen}
    return payloads.interaction(state, "block_actions", world.alice.id) | {
        "actions": [action],
        "container": {"type": "message", "message_ts": "9.9", "channel_id": channel.id, "is_ephemeral": True},
        "channel": {"id": channel.id, "name": channel.name},
        "trigger_id": state.new_trigger(world.alice.id),
        "response_url": state.new_response_url("actions", channel.id, world.alice.id),
    }
