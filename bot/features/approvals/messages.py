"""Requests to be linked as a username: to whoever decides, whose account it may be, and who asked."""

from bot.domain.accounts import Approval
from bot.domain.message_context import RequestFacts
from bot.domain.notices import Answer
from bot.domain.people import Named, People
from bot.features.approvals.model import UNDECIDED, ApprovalKind
from bot.messages.blocks import home_sections, kit
from bot.messages.blocks.kit import Block, Markup, fill, renders
from bot.messages.texts import pages, requests


def _settled(facts: RequestFacts) -> str:
    """Say what became of a request: the first decision counts, whatever the provider said to it."""
    approval, by = facts.approval, Markup("")
    template = requests.ASKED_AGAIN if _is_asked(facts) else pages.WITHDRAWN
    if approval is not None and approval.detail == UNDECIDED:
        template = requests.UNDECIDED
    if approval is not None and approval.decided_by is not None:
        template = pages.DENIED_BY if approval.state == "denied" else pages.APPROVED_BY
        if approval.state == "denied" and (approval.answers or {}).get(approval.decided_by):
            template = requests.CLAIMED
        by = kit.person(facts.people.get(approval.decided_by))
    return fill(template, by=by, **_names(facts.word("username"), facts.connection_title, _person(facts)))


def _is_asked(facts: RequestFacts) -> bool:
    return facts.approval is not None and facts.approval.state == "asked"


def _is_the_same(facts: RequestFacts) -> bool:
    return facts.approval is not None and facts.approval.username == facts.word("username")


def _answer(facts: RequestFacts) -> bool | None:
    """Return what the person said who was asked whose account it is."""
    answers = facts.approval.answers if facts.approval is not None else None
    return (answers or {}).get(facts.word("owner"))


def _is_unanswered(facts: RequestFacts) -> bool:
    return _is_asked(facts) and _answer(facts) is None and _is_the_same(facts)


def _answered(facts: RequestFacts) -> str:
    """Say what the person answered who was asked whose account it is."""
    said = _answer(facts) if _is_the_same(facts) else None
    template = {None: requests.WHOSE_OVER, True: requests.SAID_MINE, False: requests.SAID_NOT_MINE}[said]
    return fill(template, username=facts.word("username"), title=facts.connection_title)


@renders(ApprovalKind.APPROVAL_ASKED, is_true=_is_asked)
def asked(facts: RequestFacts) -> Answer:
    """Ask an administrator, or say who decided; the buttons carry the request's key and its username."""
    if facts.approval is None or not _is_asked(facts) or facts.is_superseded:
        return kit.message(_settled(facts))
    names = _names(facts.approval.username, facts.connection_title, _person(facts))
    request = decision(facts.approval, facts.connection_title, facts.people)
    if facts.body.get("is_reminder"):
        since = kit.day_moment(facts.approval.asked_at)
        request = [kit.section(fill(requests.REMINDER, since=since)), *request]
    blocks = [*request, kit.context(fill(pages.REQUEST_NOTE, **names))]
    return kit.answer(blocks)


def _person(facts: RequestFacts) -> Named | None:
    """Return who asked, also where the request is gone."""
    key = facts.approval.principal.key if facts.approval is not None else facts.word("person")
    return facts.people.get(key)


def _names(username: str, title: str, person: Named | None) -> dict[str, object]:
    return {
        "who": kit.person(person),
        "name": kit.person_plain(person),
        "username": username,
        "title": title,
    }


def decision(approval: Approval, title: str, people: People) -> list[Block]:
    """Draw a request that waits for an administrator, with what nobody can choose about themselves."""
    person = people.get(approval.principal.key)
    names = _names(approval.username, title, person)
    key = f"{approval.id} {approval.username}"
    known = person.known if person is not None else None
    email = (known.email if known is not None else None) or requests.UNKNOWN
    own = {"id": approval.principal.user_id, "email": email}
    question = kit.confirm(pages.CONFIRM_APPROVE, style=None, **own, **names)
    buttons = [kit.button(pages.DENY, "deny", key, style=kit.DANGER)]
    if not approval.waits:
        buttons.insert(0, kit.button(pages.APPROVE, "approve", key, style=kit.PRIMARY, confirm=question))
    small = [fill(requests.ASKER, who=_known(person))] if known is not None else []
    if approval.alike:
        alike = Markup(", ".join(_known(people.get(key)) for key in approval.alike))
        small.append(fill(requests.ALIKE, people=alike))
    said = [fill(pages.REQUEST, **names)]
    there, here = approval.email, known.email if known is not None else None
    if there and here and there.casefold() != here.casefold():
        said.insert(0, fill(requests.ADDRESSES_DIFFER, there=there, here=here, **names))
    elif there:
        small.insert(0, fill(requests.ADDRESS_THERE, there=there, **names))
    for asked, answer in (approval.answers or {}).items():
        template = requests.OWNER_ASKED if answer is None else requests.OWNER_ANSWERED
        small.append(fill(template, owner=kit.person(people.get(asked)), answer=requests.NOT_MINE))
    if approval.waits:
        said.append(pages.NOT_OPEN)
    context = [kit.context(*small)] if small else []
    return [kit.section("\n".join(said)), *context, *kit.actions(buttons)]


home_sections.WAITING["approval"] = lambda asked: decision(*asked)


def _known(named: Named | None) -> Markup:
    """Name a person by what they can't choose, too."""
    known = named.known if named is not None else None
    if known is None:
        return kit.person(named)
    user_id = known.principal.user_id
    template = requests.KNOWN if known.email else requests.KNOWN_WITHOUT
    # Without the mark of what nobody can choose.
    name = Markup(kit.person_plain(named).replace("`", ""))
    names = {"name": name, "handle": known.handle or "?", "email": known.email or ""}
    return Markup(fill(template, who=kit.person(named), id=user_id, **names))


@renders(ApprovalKind.ACCOUNT_ASKED, is_true=_is_unanswered)
def account_asked(facts: RequestFacts) -> Answer:
    """Ask a member whether the account that somebody else asked for is theirs, or say what they answered."""
    if not _is_unanswered(facts):
        return kit.message(_answered(facts))
    names = {"username": facts.word("username"), "title": facts.connection_title}
    key = f"{facts.approval.id} {facts.approval.username}" if facts.approval is not None else ""
    buttons = [kit.button(requests.MINE, "mine", key), kit.button(requests.NOT_MINE, "not_mine", key)]
    return kit.message(fill(requests.WHOSE, **names), buttons=buttons)


@renders(ApprovalKind.APPROVAL_DENIED)
def denied(facts: RequestFacts) -> Answer:
    """Tell a person that a request was denied; or them and the administrators that nobody decided."""
    if facts.word("cause") == UNDECIDED:
        return _decision(requests.UNDECIDED_PERSON if facts.body.get("is_own") else requests.UNDECIDED, facts)
    return _decision(pages.DENIED_PERSON, facts)


@renders(ApprovalKind.APPROVAL_FAILED)
def failed(facts: RequestFacts) -> Answer:
    """Tell a person, or whoever approved it, that a request can't be fulfilled."""
    return _decision(pages.FAILED_PERSON if facts.body.get("is_own") else pages.FAILED_ADMINISTRATOR, facts)


@renders(ApprovalKind.APPROVAL_DONE)
def done(facts: RequestFacts) -> Answer:
    """Tell whoever approved a request that the person is linked."""
    return _decision(pages.DONE, facts)


def _decision(template: str, facts: RequestFacts) -> Answer:
    title, cause = facts.connection_title, facts.word("cause")
    reason = Markup(fill(pages.BECAUSE[cause], title=title) if cause in pages.BECAUSE else "")
    names = _names(facts.word("username"), title, _person(facts))
    return kit.message(fill(template, because=reason, **names))
