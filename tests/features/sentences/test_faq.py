"""What is answered about Usher itself: each fact is reached, and the docs have it."""

from pathlib import Path

import pytest

from bot.features.sentences.faq import FAQ
from bot.features.sentences.ranker import fold_words, rank

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("fact", FAQ)
def test_each_question_is_among_what_it_may_mean_and_the_docs_have_a_page_for_it(fact):
    assert f"fact-{fact}" in [one.label for one in rank(fold_words(FAQ[fact].question))[:3]]
    assert (ROOT / f"docs/{FAQ[fact].page}.md").is_file()
