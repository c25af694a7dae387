"""Messages about created, ended and refused links, and about attempts to link other people's accounts."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from bot.domain.message_context import Facts, RequestFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.stops import Consent
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.cards import fill_notice, link_again_button, notice
from bot.messages.blocks.kit import Element, Markup, fill
from bot.messages.blocks.renderers import renders
from bot.messages.texts import answers, cards, notices, pages, requests

#: Maximum number of workspaces listed in a message to administrators. ``MAX_PAGES`` is the maximum number of
#: buttons below the list, each of which opens a provider's page.
MAX_LEFT_SHOWN: Final = 20
MAX_PAGES: Final = 5
#: Prefix of the *Approve* button's value in messages about a suspended link, whose username now belongs to
#: another account at the provider. After the prefix come the link's id and that account's id.
RESTING_BUTTON: Final = "link"


@renders(NoticeKind.RELINK_PROMPT, is_true=lambda facts: facts.is_refused)
def _render_link_again(facts: Facts) -> Answer:
    again, renamed = [link_again_button(facts)], facts.word("renamed")
    if renamed:
        username = facts.word("username")
        return notice(notices.LINK_RENAMED, facts, again, username=username, renamed=renamed)
    if facts.body.get("cause") == "secret":
        return notice(notices.LINK_UNREADABLE, facts, again)
    if facts.link_has_ended:
        return notice(notices.LINK_EXPIRED, facts, again)
    return notice(notices.LINK_AGAIN, facts, again)


@renders(NoticeKind.SIGN_IN_REFUSED, is_true=lambda facts: facts.is_refused)
def _render_sign_in_refused(facts: Facts) -> Answer:
    if facts.link_has_ended or facts.word("renamed"):
        return _render_link_again(facts)
    again, since = [link_again_button(facts)], kit.moment(facts.time("since"), facts.now, facts.zone)
    return notice(notices.SIGN_IN_REFUSED, facts, again, since=since)


@renders(NoticeKind.LINK_RESTING, is_true=lambda facts: facts.is_resting)
def _render_link_resting(facts: Facts) -> Answer:
    username = facts.username or facts.word("username")
    return notice(notices.LINK_RESTING, facts, [link_again_button(facts)], username=username)


@renders(
    NoticeKind.LINKS_RESTING, is_true=lambda facts: isinstance(facts, RequestFacts) and bool(facts.resting)
)
def _render_links_resting(facts: RequestFacts) -> Answer:
    title, resting = facts.connection_title, facts.resting
    if not resting:
        return kit.message(fill(requests.RESTING_OVER, title=title))
    if len(resting) > 1:
        shown = [kit.name_plainly(facts.people.get(link.principal.key)) for link in resting[:MAX_LEFT_SHOWN]]
        more = [fill(answers.AND_MORE, count=len(resting) - len(shown))] if len(resting) > len(shown) else []
        people = Markup(", ".join([*shown, *more]))
        return kit.message(fill(requests.RESTING_SEVERAL, count=len(resting), title=title, people=people))
    account, person = resting[0], facts.people.get(resting[0].principal.key)
    names = {"title": title, "username": account.username}
    sentences, buttons = [fill(requests.RESTING, who=kit.mention(person), **names)], list[Element]()
    if "admin" in facts.linking:
        sentences.append("If it is theirs, too, you can approve it.")
        question = kit.confirm(requests.CONFIRM_RESTING, style=None, name=kit.name_plainly(person), **names)
        key = f"{RESTING_BUTTON}/{account.id} {account.other_id}"
        buttons = [kit.button("Approve", "approve", key, confirm=question)]
    return kit.message(kit.join(sentences), [], buttons)


@renders(NoticeKind.LINKED, is_true=lambda facts: facts.is_linked is not False)
def _render_linked(facts: Facts) -> Answer:
    username = facts.username or facts.word("username")
    # Unless workspaces open in Usher's own page, say that people have to sign in at the provider.
    opens = (
        "" if "embeddedpage" in facts.capabilities else f" {notices.OPENS_AS if username else notices.OPENS}"
    )
    template = f"{notices.LINKED_AS if username else notices.LINKED}{opens}"
    # *Unlink* isn't red in this message, because it only undoes the new link. The message has only two
    # buttons, so *Unlink* isn't moved into a menu, and people find the button that the small text mentions.
    unlink = kit.without_colour(unlink_button(facts.connection, facts.connection_title))
    buttons = [replies.list_button(style=kit.PRIMARY), unlink]
    small = ["If this wasn't you, press *Unlink*."]
    if facts.link_expires_at is not None:
        small.append(fill(notices.LINKED_UNTIL, at=kit.day(facts.link_expires_at, facts.now, facts.zone)))
    return notice(template, facts, buttons, small=small, username=username)


def unlink_button(connection: str, title: str, number: int | None = None) -> Element:
    """Return the *Unlink* button, which asks for confirmation.

    If a message has several of these buttons, give each a ``number``. Their labels then name the connection.
    Slack asks the question, and sends the click to Usher only if the person agrees. The button's value
    therefore says that the person has agreed, like the flag in a typed command.
    """
    question = kit.confirm(cards.CONFIRM_UNLINK, title=title)
    label = cards.UNLINK if number is None else fill("Unlink {title}", title=title)
    press = ButtonValue("unlink", connection, agreed=Consent.GIVEN, number=number)
    return kit.button(label, press, style=kit.DANGER, confirm=question)


def format_affected(affected: Mapping[str, Sequence[str]], *, is_done: bool = True) -> list[str]:
    """Describe what unlinking an account does to its workspaces, planned stops, working hours and so on.

    ``is_done`` means that the account has already been unlinked.
    """
    said = []
    for what, templates in answers.AFFECTED.items():
        names = affected.get(what, ())
        shown = [f"*{kit.line(one)}*" for one in names[:MAX_LEFT_SHOWN]]
        shown += [fill(answers.AND_MORE, count=len(names) - len(shown))] if len(names) > len(shown) else []
        said += [fill(templates[is_done], names=Markup(", ".join(shown)))] if shown else []
    return said


@renders(NoticeKind.UNLINKED)
def _render_unlinked(facts: Facts) -> Answer:
    cause = facts.word("cause")
    because = notices.UNLINKED_BECAUSE.get(cause, "")
    small = [fill(because, title=facts.connection_title)] if because else []
    # Offer to link again only to people who unlinked the account themselves, or whose sign-in with Slack was
    # revoked. Other people should read first why their link was removed.
    can_link = cause == "revoked" or (not because and bool(facts.linking & {"token", "admin"}))
    buttons = [link_again_button(facts)] if can_link and not facts.is_linked else []
    said = [fill_notice(answers.UNLINKED[facts.word("left") or "none"], facts)]
    return kit.message(" ".join([*said, *format_affected(facts.body)]), small, buttons)


@renders(NoticeKind.REVOKED)
def _render_revoked(facts: Facts) -> Answer:
    return notice(notices.REVOKED[facts.word("ended") or "lapsed"], facts)


@renders(NoticeKind.LEFT_RUNNING)
def render_left_running(facts: RequestFacts) -> Answer:
    """Show an administrator the workspaces that people left running when their links ended."""
    left, lines = list(facts.body.get("left", ())), list[str]()
    shown, pages = left[:MAX_LEFT_SHOWN], dict[str, str]()
    for key, of_person in groupby(shown, key=lambda one: (one["person"], one["cause"])):
        lines.append(fill(notices.LEFT[key[1]], who=kit.mention(facts.people.get(key[0]))))
        for one in of_person:
            template = notices.LEFT_UNSTOPPED if one["was_planned"] else "*{name}* on {title}, as of {seen}."
            seen = kit.moment(float(one["seen_at"] or facts.now), facts.now, facts.zone)
            lines.append(f"• {fill(template, name=one['name'], title=one['title'], seen=seen)}")
            if one["page"]:
                pages.setdefault(one["title"], one["page"])
    if len(left) > len(shown):
        lines.append(fill(notices.LEFT_MORE, count=len(left) - len(shown)))
    buttons = [
        kit.button(fill(cards.SEE_PAGE, title=title), "page_url", url=page) for title, page in pages.items()
    ]
    return kit.message(kit.join([*lines, notices.LEFT_NEXT], "\n"), [], buttons[:MAX_PAGES])


@renders(NoticeKind.NOT_REVOKED)
def _render_not_revoked(facts: Facts) -> Answer:
    return notice(notices.NOT_REVOKED, facts)


@renders(NoticeKind.LINK_ATTEMPTED)
def _render_link_tried(facts: RequestFacts) -> Answer:
    template = pages.TRIED_BY_APPROVAL if facts.body.get("is_approved") else pages.TRIED
    who, username = kit.mention(facts.people.get(facts.word("person"))), facts.word("username")
    return replies.answer(fill(template, who=who, title=facts.connection_title, username=username))


@renders(NoticeKind.LINK_PROVEN)
def _render_link_proven(facts: RequestFacts) -> Answer:
    template = requests.PROVEN_OWN if facts.body.get("is_own") else requests.PROVEN
    who, owner = (kit.mention(facts.people.get(facts.word(name))) for name in ("person", "owner"))
    names = {"who": who, "owner": owner, "username": facts.word("username")}
    return replies.answer(fill(template, title=facts.connection_title, **names))
