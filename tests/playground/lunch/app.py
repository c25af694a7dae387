"""An ordinary Bolt app that asks a channel who comes to lunch.

The only thing in it that is about the local Slack is the address of the Web API, which can be set.
"""

import os

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

client = WebClient(
    os.environ["SLACK_BOT_TOKEN"], base_url=os.environ.get("SLACK_API_URL", WebClient.BASE_URL)
)
app = App(client=client, signing_secret=os.environ.get("SLACK_SIGNING_SECRET", ""))


def button(action_id, text):
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}}


def question(text):
    """Return a message with two buttons."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    buttons = [button("join", "I'm in"), button("suggest", "Suggest a place")]
    return {"text": text, "blocks": [section, {"type": "actions", "elements": buttons}]}


@app.command("/lunch")
def ask(ack, say, command):
    ack()
    say(**question(f"Lunch at {command['text'] or 'noon'}?"))


@app.action("join")
def join(ack, body, client):
    ack()
    message, who = body["message"], f"<@{body['user']['id']}>"
    if who not in message["text"]:
        joined = question(f"{message['text']}\n{who} is in")
        client.chat_update(channel=body["channel"]["id"], ts=message["ts"], **joined)


@app.action("suggest")
def suggest(ack, body, client):
    ack()
    place = {"type": "plain_text_input", "action_id": "place"}
    view = {
        "type": "modal",
        "callback_id": "suggest",
        "private_metadata": body["channel"]["id"],
        "title": {"type": "plain_text", "text": "Suggest a place"},
        "submit": {"type": "plain_text", "text": "Suggest"},
        "blocks": [
            {
                "type": "input",
                "block_id": "where",
                "label": {"type": "plain_text", "text": "Where"},
                "element": place,
            }
        ],
    }
    client.views_open(trigger_id=body["trigger_id"], view=view)


@app.view("suggest")
def suggested(ack, body, view, client):
    place = view["state"]["values"]["where"]["place"]["value"]
    if len(place) < 3:
        ack(response_action="errors", errors={"where": "That's too short for a name."})
        return
    ack()
    client.chat_postMessage(
        channel=view["private_metadata"], text=f"<@{body['user']['id']}> suggests {place}"
    )


@app.event("app_mention")
def mentioned(event, say):
    say(text="Type `/lunch 12:30` here.", thread_ts=event["ts"])


@app.event("message")
def written(say):
    say("Type `/lunch 12:30` in a channel.")


if __name__ == "__main__":
    if app_token := os.environ.get("SLACK_APP_TOKEN"):
        SocketModeHandler(app, app_token).start()
    else:
        app.start(port=int(os.environ["PORT"]))
