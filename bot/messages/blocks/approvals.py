"""Messages about requests to link a username, sent to administrators, possible owners and the requester."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.accounts import Approval
from bot.domain.approvals import UNDECIDED
from bot.domain.message_context import ObjectName, RequestFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.people import Named, People
from bot.messages.blocks import kit, limits
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Block, Markup, fill
from bot.messages.blocks.renderers import renders
from bot.messages.texts import pages, requests, times


def _describe_outcome(facts: RequestFacts) -> str:
    approval, by = facts.approval, Markup("")
    template = requests.ASKED_AGAIN if _is_asked(facts) else pages.WITHDRAWN
    if approval is not None and approval.detail == UNDECIDED:
        template = requests.UNDECIDED
    if approval is not None and approval.decided_by is not None:
        template = pages.DENIED_BY if approval.state == "denied" else pages.APPROVED_BY
        if approval.state == "denied" and (approval.answers or {}).get(approval.decided_by):
            template = requests.CLAIMED
        by = kit.mention(facts.people.get(approval.decided_by))
    return fill(
        template, by=by, **_get_names(facts.word("username"), facts.connection_title, _find_requester(facts))
    )


def _is_asked(facts: RequestFacts) -> bool:
    return facts.approval is not None and facts.approval.state == "requested"


def _is_the_same(facts: RequestFacts) -> bool:
    return facts.approval is not None and facts.approval.username == facts.word("username")


def _get_owner_answer(facts: RequestFacts) -> bool | None:
    answers = facts.approval.answers if facts.approval is not None else None
    return (answers or {}).get(facts.word("owner"))


def _is_unanswered(facts: RequestFacts) -> bool:
    return _is_asked(facts) and _get_owner_answer(facts) is None and _is_the_same(facts)


def _format_owner_answer(facts: RequestFacts) -> str:
    said = _get_owner_answer(facts) if _is_the_same(facts) else None
    template = {None: requests.WHOSE_OVER, True: requests.SAID_MINE, False: requests.SAID_NOT_MINE}[said]
    return fill(template, username=facts.word("username"), title=facts.connection_title)


@renders(NoticeKind.APPROVAL_REQUEST, is_true=_is_asked)
def render_request(facts: RequestFacts) -> Answer:
    """Render a request for an administrator, or its outcome once it is no longer open."""
    if facts.approval is None or not _is_asked(facts) or facts.is_superseded:
        return kit.message(_describe_outcome(facts))
    names = _get_names(facts.approval.username, facts.connection_title, _find_requester(facts))
    request = render_decision(facts.approval, facts.connection_title, facts.people)
    if facts.body.get("is_reminder"):
        since = kit.since(facts.approval.requested_at, facts.now, facts.zone)
        request = [kit.section(fill(requests.REMINDER, since=since)), *request]
    blocks = [*request, kit.context(fill(pages.REQUEST_NOTE, **names))]
    return kit.answer(blocks)


def _find_requester(facts: RequestFacts) -> Named | None:
    key = facts.approval.principal.key if facts.approval is not None else facts.word("person")
    return facts.people.get(key)


def _get_names(username: str, title: str, person: Named | None) -> dict[str, object]:
    return {
        "who": kit.mention(person),
        "name": kit.name_plainly(person),
        "username": username,
        "title": title,
    }


#: Marks the *Approve* and *Deny* buttons in a list of link requests. Pressing either one replaces the list
#: with the outcome and the requests that are still open.
LISTED: Final = "listed"
#: Maximum number of requests in one list. ``MAX_LISTED_CHARACTERS`` limits their combined length, because
#: requests are never shortened.
MAX_LISTED: Final = 12
MAX_LISTED_CHARACTERS: Final = limits.MAX_BLOCKS_TEXT_LENGTH - 1_000


def render_open_requests(
    approvals: Sequence[Approval], titles: Mapping[str, str], people: People, outcome: str = ""
) -> Answer:
    """Render the open requests with buttons and, above them, how the last request was decided."""
    head = fill(requests.OPEN, count=times.format_count(len(approvals), "request")) if approvals else ""
    above = [part for part in (outcome, head or "Nobody is waiting for you to approve an account.") if part]
    rows, left = list[Block](), len(approvals)
    for one in approvals[:MAX_LISTED]:
        decision = render_decision(one, titles[one.connection], people, mark=LISTED)
        if rows and kit.count_characters([*rows, *decision]) > MAX_LISTED_CHARACTERS:
            break
        rows, left = [*rows, *decision], left - 1
    more = [kit.context(fill(requests.MORE_OPEN, count=left))] if left else []
    return kit.answer([kit.section(kit.join(above, "\n")), *rows, *more], replaces=bool(outcome))


def render_decision(approval: Approval, title: str, people: People, *, mark: str = "") -> list[Block]:
    """Render an open request, with those facts about the requester that they can't choose themselves."""
    person = people.get(approval.principal.key)
    names = _get_names(approval.username, title, person)
    key = f"{approval.id} {approval.username}"
    known = person.known if person is not None else None
    email = (known.email if known is not None else None) or requests.UNKNOWN
    own = {"id": approval.principal.user_id, "email": email}
    question = kit.confirm(pages.CONFIRM_APPROVE, style=None, **own, **names)
    approve, deny = (ButtonValue(action, key, mark=mark) for action in ("approve", "deny"))
    buttons = [kit.button("Deny", deny, style=kit.DANGER)]
    if not approval.awaits_answers:
        buttons.insert(0, kit.button("Approve", approve, style=kit.PRIMARY, confirm=question))
    if mark:
        buttons = [kit.without_colour(one) for one in buttons]
    small = [fill(requests.ASKER, who=_name_with_identity(person))] if known is not None else []
    if approval.similar_users:
        alike = Markup(", ".join(_name_with_identity(people.get(key)) for key in approval.similar_users))
        small.append(fill("This username may belong to somebody else: {people}.", people=alike))
    said = [fill("{who} wants to be linked to *{username}* on {title}.", **names)]
    there, here = approval.email, known.email if known is not None else None
    if there and here and there.casefold() != here.casefold():
        said.insert(0, fill(requests.ADDRESSES_DIFFER, there=there, here=here, **names))
    elif there:
        small.insert(0, fill(requests.ADDRESS_THERE, there=there, **names))
    for asked, answer in (approval.answers or {}).items():
        template = requests.OWNER_ASKED if answer is None else requests.OWNER_ANSWERED
        small.append(fill(template, owner=kit.mention(people.get(asked)), answer=requests.NOT_MINE))
    if approval.awaits_answers:
        said.append(pages.NOT_OPEN)
    context = [kit.context(*small)] if small else []
    objects = {approval.id: ObjectName(approval.username, title)}
    return [kit.section(kit.join(said, "\n")), *context, *kit.add_block_labels(kit.actions(buttons), objects)]


def _name_with_identity(named: Named | None) -> Markup:
    known = named.known if named is not None else None
    if known is None:
        return kit.mention(named)
    user_id = known.principal.user_id
    template = requests.KNOWN if known.email else requests.KNOWN_WITHOUT
    # Remove backticks from the name. Only facts that people can't choose themselves may be formatted as code.
    name = Markup(kit.name_plainly(named).replace("`", ""))
    names = {"name": name, "handle": known.handle or "?", "email": known.email or ""}
    return Markup(fill(template, who=kit.mention(named), id=user_id, **names))


@renders(NoticeKind.ACCOUNT_QUESTION, is_true=_is_unanswered)
def render_ownership_question(facts: RequestFacts) -> Answer:
    """Ask the reader whether a requested account is theirs. Once that is settled, show the answer."""
    if not _is_unanswered(facts):
        return kit.message(_format_owner_answer(facts))
    names = {"username": facts.word("username"), "title": facts.connection_title}
    key = f"{facts.approval.id} {facts.approval.username}" if facts.approval is not None else ""
    buttons = [kit.button("It's mine", "mine", key), kit.button(requests.NOT_MINE, "not_mine", key)]
    return kit.message(fill(requests.WHOSE, **names), buttons=buttons)


@renders(NoticeKind.APPROVAL_ENDED)
def render_end(facts: RequestFacts) -> Answer:
    """Tell the requester, or the administrator who approved the request, how the request ended."""
    title, cause, is_own = facts.connection_title, facts.word("cause"), bool(facts.body.get("is_own"))
    match facts.word("ended"):
        case "linked":
            template = "{who} is now linked to *{username}* on {title}."
        case "failed":
            template = pages.FAILED_PERSON if is_own else pages.FAILED_ADMINISTRATOR
        case _ if cause == UNDECIDED:
            template = requests.UNDECIDED_PERSON if is_own else requests.UNDECIDED
        case _:
            template = (
                "Your request for *{username}* on {title} wasn't approved. "
                "Talk to your Usher admin, or ask again with your own username."
            )
    reason = Markup(fill(pages.BECAUSE[cause], title=title) if cause in pages.BECAUSE else "")
    names = _get_names(facts.word("username"), title, _find_requester(facts))
    return kit.message(fill(template, because=reason, **names))
