"""Tests that the kit notices each mistake that authors make, in a test that a correct provider passes."""

import pytest
from coder_rig import coder_rig
from usher_coder import Coder

from bot.support import errors
from tests.conformance import mistakes
from usher.conformance import check_no_token_logged, contract, faults, forbid_sleep, harms

#: Each mistake, with the tests or guards of the kit that notice it.
MISTAKES = {
    mistakes.ShowsOthers: (harms.test_an_administrators_own_token_is_one_persons_all_the_same,),
    mistakes.TakesAnyAnswer: (harms.test_an_answer_about_another_workspace_decides_nothing,),
    mistakes.TakesUnknownForFailed: (harms.test_an_unknown_word_keeps_the_last_state_and_decides_nothing,),
    mistakes.SpoiltByOneEntry: (harms.test_no_entry_of_a_list_hides_another, None),
    mistakes.ListsRawNames: (harms.test_list_has_clean_names,),
    mistakes.PutsIdsAsTheyAre: (harms.test_an_id_is_encoded_in_a_path, "status", "/kit"),
    mistakes.CallsCutWhole: (harms.test_a_list_that_goes_on_is_not_whole,),
    mistakes.FindsOlderNamesake: (harms.test_an_older_namesake_is_not_what_was_made,),
    mistakes.LosesGarbledCreation: (
        harms.test_a_creation_without_a_usable_answer_is_found_and_made_once,
        {"body": "{}"},
    ),
    mistakes.ReadyTooEarly: (harms.test_what_is_said_to_be_ready_opens,),
    mistakes.LogsToken: (contract.test_check_names_the_account,),
    mistakes.ShowsToken: (harms.test_a_read_is_one_request_each_time_and_remembers_nothing,),
    mistakes.Sleeps: (harms.test_a_read_is_one_request_each_time_and_remembers_nothing,),
    mistakes.Repeats: (faults.test_a_start_whose_answer_was_lost_was_accepted_once,),
    mistakes.ReadsBesideGate: (harms.test_acting_sends_what_it_has_to_and_reads_nothing,),
    mistakes.LinksElsewhere: (contract.test_a_workspace_lives_from_start_to_stop,),
    mistakes.CachesReads: (contract.test_a_workspace_lives_from_start_to_stop,),
    mistakes.TakesPageForNothing: (
        faults.test_a_read_takes_nothing_but_the_documented_answer,
        "status",
        "html",
    ),
}


async def play(kind, caplog, test, *case):
    async with check_no_token_logged(coder_rig(kind=kind), caplog) as rig:
        with forbid_sleep():
            await test(rig, *case)


def test_there_are_eighteen():
    assert len(MISTAKES) == 18


@pytest.mark.parametrize("kind", MISTAKES, ids=lambda kind: kind.__name__)
async def test_a_mistake_is_noticed(kind, caplog):
    with pytest.raises((AssertionError, pytest.fail.Exception, errors.ProviderError)):
        await play(kind, caplog, *MISTAKES[kind])
    caplog.clear()
    await play(Coder, caplog, *MISTAKES[kind])
