"""What is answered about Usher itself: each fact is reached, and the docs have it."""

from pathlib import Path

import pytest

from bot.messages.texts.facts import FACTS
from handlers.language.words import topic_of

ROOT = Path(__file__).parents[2]

ASKED = {
    "token": ["is my token safe", "how is my password stored", "I don't trust you"],
    "privacy": ["who sees this", "can anyone see my workspaces", "is this private"],
    "stored": ["what do you store about me", "delete all my data"],
    "reads": ["do you read our messages"],
    "control": ["can somebody else stop my workspace"],
    "cost": ["what does it cost", "am i charged for that"],
    "messages": ["why do you send these messages", "how do i get fewer notifications"],
    "data": ["what happens to my files when it stops", "do kernels survive a restart"],
    "where": ["where are my files stored"],
    "laptop": ["can i close the laptop", "does it matter if my computer sleeps"],
    "link": ["the link doesn't work", "this url gives a 404"],
    "size": ["which sizes are there", "can i get more ram"],
    "slow": ["why is it so slow"],
    "share": ["can i share it"],
    "class": ["how do i give a class"],
    "totals": ["who is using what", "how many people use you"],
    "itself": ["does it stop by itself", "do you shut things down automatically"],
    "channel": ["can i use you in a channel"],
    "limit": ["is there a limit", "how many workspaces can i run"],
    "schedule": ["how do i run a job every night"],
    "template": ["what is a template"],
    "install": ["can you install pandas"],
    "admin": ["who do i ask for help"],
}


@pytest.mark.parametrize("fact", FACTS)
def test_each_question_is_answered_by_its_fact_and_the_docs_have_a_page_for_it(fact):
    assert {topic_of(question.split()) for question in ASKED[fact]} == {fact}
    assert (ROOT / f"docs/{FACTS[fact].page}.md").is_file()


@pytest.mark.parametrize("text", ["start it", "stop all that", "which ones are up", "is it ready", "open"])
def test_what_is_about_ones_own_is_no_fact(text):
    assert topic_of(text.split()) == ""
