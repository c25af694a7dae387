"""Tests of Slack user groups as settings: who is a member, for how long that counts, and where."""

from bot.domain.installations import Installation, Installations
from bot.domain.people import Principal
from bot.domain.user_groups import COUNTS_FOR, UserGroups
from bot.providers.connection import PreparedTemplate
from tests.rigs.clock import FakeClock

AMIR, BEA = Principal(None, "T1", "UAMIR"), Principal(None, "T2", "UBEA")


def test_people_are_in_a_group_while_slack_has_said_so_and_in_no_other():
    clock = FakeClock()
    groups = UserGroups()
    groups.follow(["S1", "T2:S2", "UAMIR", "U5SNAIL"], clock.monotonic)
    assert groups.names == ["S1", "T2:S2"]
    assert groups.expand({"S1", "UAMIR"}) == {"UAMIR"}
    groups.hold("S1", ["UBEA", "UCLEO"])
    groups.hold("T2:S2", ["UDAN"])
    assert groups.expand({"S1", "UAMIR"}) == {"UAMIR", "UBEA", "UCLEO"}
    assert groups.expand({"T2:S2"}) == {"T2:UDAN"}
    assert groups.expand({"S2", "T1:S1"}) == frozenset()
    groups.hold("S1", ["UCLEO"])
    assert "UBEA" not in groups.expand({"S1"})
    clock.advance(COUNTS_FOR)
    assert groups.expand({"S1"}) == frozenset()


def test_a_group_administers_and_may_use_what_is_prepared_for_it():
    clock = FakeClock()
    several = Installations(frozenset({"T1:S1"}), frozenset({"T2:S2"}))
    groups = several.groups
    groups.follow(["S1", "T1:S1", "T2:S2"], clock.monotonic)
    one = Installation("T1", administrators=frozenset({"S1"}), groups=groups)
    several.replace([Installation("T1"), Installation("T2")])
    gpu = PreparedTemplate(name="gpu", who=("S1", "T2:S2"))
    gpu.set_groups(groups)

    def allowed():
        reached = [several.reach(who) for who in (AMIR, BEA)]
        return one.is_administrator(AMIR), reached, [gpu.is_for(who) for who in (AMIR, BEA)]

    nobody = (False, [None, None], [False, False])
    assert allowed() == nobody
    assert one.list_administrators() == several.list_administrators() == []
    for name, user in (("S1", "UAMIR"), ("T1:S1", "UAMIR"), ("T2:S2", "UBEA")):
        groups.hold(name, [user])
    assert allowed() == (True, [AMIR.place, ""], [True, True])
    assert one.list_administrators() == [AMIR]
    assert several.list_administrators() == [AMIR, BEA]
    # The same user id in another Slack workspace is a different person.
    assert not several.is_administrator(Principal(None, "T2", "UAMIR"))
    clock.advance(COUNTS_FOR)
    assert allowed() == nobody
