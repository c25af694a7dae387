"""Small Block Kit builders that stay within Slack's limits, and functions that escape text.

``safe``, ``line`` and ``fill`` escape text from outside, exactly once (``docs/internals/rules.md``, "Text
from outside is escaped once"). The builders expect text that is already escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from itertools import accumulate, islice
from typing import Any, Final, Generic, TypeVar

from bot.domain.markup import Dated, Markup, Part, Template, announce, join
from bot.domain.message_context import ObjectName
from bot.domain.notices import Answer
from bot.domain.people import Named
from bot.domain.time_marks import TIME_MARK
from bot.messages.blocks import limits
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import cards, times
from bot.support.cleaning import MAX_SHOWN_LENGTH, clean, escape, unescape

#: Names from ``bot.domain.markup``, re-exported for modules that use the builders below.
__all__ = ["Dated", "Markup", "announce", "join"]

MAX_NAME_LENGTH: Final = MAX_SHOWN_LENGTH
ELLIPSIS: Final = "…"
#: Code fence around a program's output.
FENCE: Final = "```"
#: Text shown in place of empty text, which Slack would reject.
EMPTY_TEXT: Final = "–"
#: Maximum length of a workspace's or run's name in a button's label for screen readers. Longer names are
#: truncated, so that the label still has room for the provider after the name ("Stop analysis on Saturn
#: Cloud").
_MAX_LABEL_NAME_LENGTH: Final = 40
_LABEL_REPLACEMENTS: Final = str.maketrans({"&": " and ", "<": " ", ">": " "})
#: To make a message fit, paragraphs are shortened, but not to fewer than this many characters. If that isn't
#: enough, blocks are dropped.
_MIN_SECTION_LENGTH: Final = 100
_ENTITY_PATTERN: Final = re.compile(r"&(?:amp|lt|gt);")


def truncate(escaped: str, limit: int) -> str:
    """Cut an escaped string to a limit and add an ellipsis, without splitting an entity, mention or time."""
    if len(escaped) <= limit:
        return escaped
    end = limit - len(ELLIPSIS)
    for entity in _ENTITY_PATTERN.finditer(escaped, max(end - 5, 0), min(end + 5, len(escaped))):
        if entity.start() < end < entity.end():
            end = entity.start()
    opened = escaped.rfind("<", 0, end)
    if opened > escaped.rfind(">", 0, end) and ">" in escaped[end:]:
        end = opened
    cut = escaped[:end].rstrip() + ELLIPSIS
    return escaped.rewrite(cut) if isinstance(escaped, Dated) else cut


def safe(text: object, limit: int = limits.MAX_SECTION_LENGTH) -> str:
    """Clean, escape and shorten text from outside, which makes it safe for Slack.

    The result is never empty.
    """
    return truncate(escape(clean(text)), limit) or EMPTY_TEXT


def line(text: object, limit: int = MAX_NAME_LENGTH) -> str:
    """Return a name from outside as a single line that is safe for Slack."""
    return safe(" ".join(clean(text).split()), limit)


def fill(template: Template, **values: object) -> str:
    """Fill a template with values from outside. Each value is escaped and shortened unless it is Markup.

    A template is one or more sentences. A sentence that mentions a time is true only until that time, so the
    result keeps the times among its values. Values that are functions are called.
    """
    if not isinstance(template, str):
        return join([fill(sentence, **values) for sentence in template])
    given = _Values(values)
    text = template.format_map(given)
    return Dated([[Part(text, given.moments)]]) if given.moments else text


class _Values(dict[str, object]):
    moments: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> object:
        value = super().__getitem__(name)
        if callable(value):
            value = value()
        if isinstance(value, Dated):
            self.moments += value.moments
        return value if isinstance(value, Markup) else line(value)


def fit(blocks: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Cut blocks to fit into a message: shorten the longest paragraphs first, then drop blocks at the end."""
    fitting, most = tuple(blocks)[: limits.MAX_MESSAGE_BLOCKS], limits.MAX_SECTION_LENGTH
    # This cheap check is enough for nearly all messages, although it counts everything around the text, too.
    if len(repr(fitting)) <= limits.MAX_BLOCKS_TEXT_LENGTH:
        return fitting
    while count_characters(fitting) > limits.MAX_BLOCKS_TEXT_LENGTH:
        if most > _MIN_SECTION_LENGTH:
            most -= _MIN_SECTION_LENGTH
            fitting = tuple(_shorten(block, most) for block in fitting)
        else:
            fitting = fitting[:-1]
    return fitting


def count_characters(blocks: Iterable[Block]) -> int:
    characters, parts = 0, list(blocks)
    for part in parts:
        for key, value in part.items():
            if isinstance(value, str):
                characters += len(value) if key == "text" else 0
            elif isinstance(value, dict):
                parts.append(value)
            elif isinstance(value, list):
                parts += value
    return characters


def _shorten(block: dict[str, Any], most: int) -> dict[str, Any]:
    match block:
        case {"type": "section", "text": {"text": text} as paragraph}:
            return {**block, "text": {**paragraph, "text": truncate(text, most)}}
        case {"type": "context", "elements": elements}:
            return {**block, "elements": [{**one, "text": truncate(one["text"], most)} for one in elements]}
        case _:
            return block


Block = dict[str, Any]
Element = dict[str, Any]

PRIMARY: Final = "primary"
DANGER: Final = "danger"
#: The action id of a menu. Each option carries the action and value of a button.
MENU: Final = "menu"
#: The action of a menu option that asks for confirmation first. The option's value is the text of the
#: ``ButtonValue`` to run once the person has confirmed.
ASK_ACTION: Final = "ask"
#: Prefix of the block ids of a question's buttons. Pressing such a button answers the question.
QUESTION: Final = "question"
BUTTONS_PER_ROW: Final = 2

#: Actions of buttons that open a URL: an IDE, a page at the provider, or a page for linking an account.
ADDRESSES: Final = frozenset({"open_url", "page_url", "link_url"})

_SENTENCE_END: Final = re.compile(r"(?<=[.!?\u2026])\s")
#: Maximum number of heading lines (such as a title and a workspace's name) before a message's first sentence.
_MAX_HEADINGS: Final = 2
#: Number of characters that a phone's notification shows until the person expands it. If a message's first
#: paragraph has several sentences, the notification includes as many of them as fit.
_MAX_SHORT_LENGTH: Final = 150
#: Matches a link. Notifications show only its label.
_LINK_PATTERN: Final = re.compile(r"<https?:[^|>]*\|([^>]*)>")
_MARKUP_PATTERN: Final = re.compile(r"`([^`\n]+)`|(?<!\w)\*(\S(?:.{0,300}?\S)??)\*(?!\w)")
_LINK_ESCAPES: Final = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"})
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{2,30}")


def mrkdwn(text: str) -> Block:
    """Return formatted text. ``verbatim`` prevents Slack from turning plain text into links or mentions."""
    return {
        "type": "mrkdwn",
        "text": truncate(text, limits.MAX_SECTION_LENGTH) or EMPTY_TEXT,
        "verbatim": True,
    }


def plain(text: str, limit: int) -> Block:
    """Return plain text, for buttons and titles."""
    return {"type": "plain_text", "text": truncate(text, limit) or EMPTY_TEXT, "emoji": False}


def section(text: str, accessory: Element | None = None) -> Block:
    """Return a paragraph, with a button next to it if given.

    Slack may fold a long paragraph unless ``expand`` is set, and a screen reader then says only "see more".
    So ``expand`` is set for everything except a program's output.
    """
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if not is_output(block):
        block["expand"] = True
    return block if accessory is None else {**block, "accessory": accessory}


def is_output(block: Block) -> bool:
    """Return whether a block is a paragraph that shows a program's output."""
    text = (block.get("text") or {}).get("text")
    return block["type"] == "section" and str(text).startswith(FENCE)


def divider() -> Block:
    return {"type": "divider"}


def context(*texts: str) -> Block:
    """Return a context block, which shows one or more strings in small print."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[: limits.MAX_CONTEXT_ELEMENTS]]}


def actions(elements: Iterable[Element]) -> list[Block]:
    """Arrange elements in rows, most important first: two buttons, and a menu with the others.

    If only one button is left over, it gets a row of its own instead of a menu. Options that are already in a
    menu stay in a menu, at the end. Numbered buttons, which do the same thing to different workspaces or
    runs, are never moved into the menu.
    """
    given = list(elements)
    menus = [one for one in given if one["type"] == "overflow"]
    fields = [one for one in given if one["type"] not in {"button", "overflow"}]
    buttons = [one for one in given if one["type"] == "button"]
    if len(buttons) <= BUTTONS_PER_ROW:
        return _rows([[*fields, *buttons, *([menu(menus)] if menus else [])]])
    equals = [one for one in buttons if ButtonValue.from_button(one).number is not None]
    apart = equals if len(equals) > 1 else []
    others = [one for one in buttons if one not in apart]
    shown, folded = others[:BUTTONS_PER_ROW], others[BUTTONS_PER_ROW:]
    # A button that carries a long command may not fit into a menu option.
    apart += [one for one in folded if len(_get_option_value(one)) > limits.MAX_OPTION_VALUE_LENGTH]
    folded = [one for one in folded if one not in apart]
    rows = [apart[at : at + BUTTONS_PER_ROW] for at in range(0, len(apart), BUTTONS_PER_ROW)]
    if len(folded) == 1 and not menus:
        return _rows([*rows, [*fields, *shown], folded])
    folded += menus
    return _rows([*rows, [*fields, *shown, *([menu(folded)] if folded else [])]])


def _rows(rows: Iterable[Sequence[Element]]) -> list[Block]:
    return [{"type": "actions", "elements": list(row)} for row in rows if row]


def menu(elements: Iterable[Element]) -> Element:
    """Return a menu of buttons and of other menus' options, five at most.

    Slack allows only one confirmation question for a whole menu. So a menu has none, and a button's own
    question is asked after its option has been chosen.
    """
    options = list[Block]()
    for one in elements:
        if one["type"] == "overflow":
            options += one["options"]
            continue
        address = {"url": one["url"]} if "url" in one else {}
        options.append({"text": one["text"], "value": _get_option_value(one), **address})
    return {"type": "overflow", "action_id": MENU, "options": options[: limits.MAX_MENU_OPTIONS]}


def _get_option_value(drawn: Element) -> str:
    press = ButtonValue.from_button(drawn)
    return (ButtonValue(ASK_ACTION, press.text) if "confirm" in drawn else press).text


def iterate_drawn(blocks: Iterable[Block]) -> Iterator[tuple[Element, ButtonValue]]:
    """Yield each button and menu option of a message, with its value."""
    for block in blocks:
        for one in (*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())):
            if one.get("type") == "button":
                yield one, ButtonValue.from_button(one)
            for option in one["options"] if one.get("type") == "overflow" else ():
                yield option, ButtonValue.from_text(option["value"])


def iterate_buttons(blocks: Iterable[Block]) -> Iterator[Element]:
    """Yield all buttons of a message. Menu options are turned back into buttons."""
    for one, press in iterate_drawn(blocks):
        yield one if "type" in one else button(one["text"]["text"], press, url=one.get("url"))


def keep_buttons(answer: Answer, works: Callable[[Element], bool]) -> Answer:
    """Remove the buttons and menu options that no longer work, as decided by ``works``, from an answer."""

    def keep_working(one: Element) -> Element | None:
        if one.get("type") != "overflow":
            return one if one.get("type") != "button" or works(one) else None
        drawn = zip(one["options"], iterate_buttons([{"elements": [one]}]), strict=True)
        options = [option for option, button in drawn if works(button)]
        return {**one, "options": options} if options else None

    blocks = []
    for block in answer.blocks:
        if block["type"] == "actions":
            elements = [kept for one in block["elements"] if (kept := keep_working(one)) is not None]
            blocks += [{**block, "elements": elements}] if elements else []
        elif "accessory" in block and (kept := keep_working(block["accessory"])) is None:
            blocks.append({name: value for name, value in block.items() if name != "accessory"})
        else:
            blocks.append({**block, "accessory": kept} if "accessory" in block else block)
    return replace(answer, blocks=tuple(blocks))


def add_number(button: Element, number: int, label: str) -> Element:
    """Return a button with another label and with a number, which tells it apart from similar buttons."""
    action_id = ButtonValue.from_button(button)._replace(number=number).action_id
    unnamed = {key: value for key, value in button.items() if key != "accessibility_label"}
    return {**unnamed, "text": plain(label, limits.MAX_BUTTON_LENGTH), "action_id": action_id}


def add_label(button: Element, name: str, title: str = "") -> Element:
    """Add a label that tells screen readers what a button acts on, unless the button's text already does.

    Slack doesn't document how it shows ``&`` and ``<`` in such a label, so the label contains neither.
    """
    words = unescape(button["text"]["text"])
    short = _clean_for_label(name, _MAX_LABEL_NAME_LENGTH)
    if not short or short.casefold() in _clean_for_label(words).casefold():
        return button
    whole = cards.OBJECT.format(name=short, title=_clean_for_label(title)) if title else short
    is_verb = words.isalpha() and words not in cards.NOT_VERBS
    label = f"{words} {whole}" if is_verb else f"{words.rstrip(ELLIPSIS)}: {whole}"
    return {**button, "accessibility_label": truncate(label, limits.MAX_ACCESSIBILITY_LABEL_LENGTH)}


def _clean_for_label(text: str, limit: int = limits.MAX_ACCESSIBILITY_LABEL_LENGTH) -> str:
    return truncate(" ".join(clean(text).translate(_LABEL_REPLACEMENTS).split()), limit)


def add_labels(elements: Iterable[Element], objects: Mapping[str, ObjectName]) -> list[Element]:
    """Add labels that tell screen readers what each button acts on. ``objects`` maps row keys to names."""
    return [_add_own_label(element, objects) for element in elements]


def _add_own_label(element: Element, objects: Mapping[str, ObjectName]) -> Element:
    value = ButtonValue.from_button(element) if element["type"] == "button" else None
    if value is None or value.number is not None:
        return element
    first, _, rest = value.key.partition(" ")
    name = objects.get(rest if value.name == "make" else first)
    return element if name is None else add_label(element, *name)


def add_block_labels(blocks: Iterable[Block], objects: Mapping[str, ObjectName]) -> list[Block]:
    """Add labels that tell screen readers what each button acts on. No two labels are alike."""
    return _add_numbers(_change_elements(blocks, partial(_add_own_label, objects=objects)))


def _add_numbers(blocks: Iterable[Block]) -> list[Block]:
    counts = Counter[str]()

    def add_count(element: Element) -> Element:
        if element["type"] != "button":
            return element
        name = element.get("accessibility_label") or unescape(element["text"]["text"])
        counts[name] += 1
        if counts[name] == 1:
            return element
        end = f" ({counts[name]})"
        label = truncate(_clean_for_label(name), limits.MAX_ACCESSIBILITY_LABEL_LENGTH - len(end)) + end
        return {**element, "accessibility_label": label}

    return _change_elements(blocks, add_count)


def without_colour(button: Element) -> Element:
    return {key: value for key, value in button.items() if key != "style"}


def _finish_buttons(blocks: Iterable[Block]) -> list[Block]:
    blocks = list(blocks)
    if not {"actions", "accessory"} & {name for block in blocks for name in (block["type"], *block)}:
        return blocks
    is_found = False

    def keep_colour(one: Element) -> Element:
        nonlocal is_found
        is_other, is_found = is_found and one["type"] == "button", is_found or "style" in one
        return without_colour(one) if is_other else one

    return _add_numbers(_change_elements(blocks, keep_colour))


def _change_elements(blocks: Iterable[Block], change: Callable[[Element], Element]) -> list[Block]:
    changed = []
    for block in blocks:
        match block:
            case {"accessory": accessory}:
                changed.append({**block, "accessory": change(accessory)})
            case {"type": "actions", "elements": elements}:
                changed.append({**block, "elements": [change(one) for one in elements]})
            case _:
                changed.append(block)
    return changed


def button(
    label: str,
    press: ButtonValue | str,
    key: str = "",
    *,
    style: str | None = None,
    url: str | None = None,
    confirm: Block | None = None,
    of: str = "",
) -> Element:
    """Return a button. After its text, screen readers say what it acts on (``of``)."""
    carried = ButtonValue(press, key) if isinstance(press, str) else press
    element: Element = {
        "type": "button",
        "text": plain(label, limits.MAX_BUTTON_LENGTH),
        "action_id": carried.action_id,
    }
    more = {"value": carried.value or None, "style": style, "url": url, "confirm": confirm}
    element |= {key: value for key, value in more.items() if value is not None}
    return add_label(element, of) if of else element


def confirm(words: tuple[str, str, str, str], *, style: str | None = DANGER, **values: object) -> Block:
    """Return a confirmation dialog. ``words`` contains its title, its text and its two buttons' labels."""
    title, text, yes, no = (fill(word, **values) for word in words)
    asked: Block = {
        "title": plain(title, limits.MAX_CONFIRM_TITLE_LENGTH),
        "text": plain(text, limits.MAX_CONFIRM_TEXT_LENGTH),
        "confirm": plain(yes, limits.MAX_CONFIRM_BUTTON_LENGTH),
        "deny": plain(no, limits.MAX_CONFIRM_BUTTON_LENGTH),
    }
    return asked if style is None else {**asked, "style": style}


def mention(named: Named | None) -> Markup:
    """Mention a person or, if that is impossible, give their name. All mentions are made here."""
    if named is None:
        return Markup(times.SOMEBODY)
    who = _name(named)
    if _USER_ID.fullmatch(named.user_id):
        who = Markup(f"<@{named.user_id}>")
    return _add_workspace("{who} (*{workspace}*)", who, named)


def name_plainly(named: Named | None) -> Markup:
    """Name a person in text that doesn't support mentions, such as a confirmation or a notification."""
    if named is None:
        return Markup(times.SOMEBODY)
    return _add_workspace("{who} ({workspace})", _name(named), named)


def _name(named: Named) -> Markup:
    return Markup(line(named.name) if named.name else times.SOMEBODY)


def _add_workspace(template: str, who: Markup, named: Named) -> Markup:
    if named.user_id and not named.workspace:
        return who
    return Markup(fill(template if named.workspace else times.ELSEWHERE, who=who, workspace=named.workspace))


def link(url: str, label: str) -> Markup:
    """Return a link labelled with a name from outside."""
    return Markup(f"<{escape_link_url(url)}|{line(label).replace('|', '¦')}>")


def escape_link_url(url: str) -> str:
    """Escape a URL for use within a link's angle brackets."""
    return url.translate(_LINK_ESCAPES)


def moment(
    at: float, now: float, zone: tzinfo | None = None, *, has_day: bool = False, alone: str = "{time}"
) -> Dated:
    """Return a time in the reader's time zone: "14:03", or on another day "Mon 30 Nov at 14:03".

    If the reader's time zone isn't known, Slack formats the time for each reader, and adds the day if the
    time is at least 12 hours away or ``has_day`` is set. ``alone`` is the format for a time without a day.
    """
    if zone is None and (has_day or abs(now - at) >= 12 * 3600):
        return _mark(at, "{date_short_pretty} at {time}", times.format_day_in_utc(at))
    day = "" if zone is None else times.format_other_day(at, now, zone)
    time = _mark(at, "{time}", times.format_time_in_utc(at))
    return time.rewrite(f"{day} at {time}" if day else alone.format(time=time))


def moment_at(at: float, now: float, zone: tzinfo | None = None) -> Dated:
    """Return a time as a phrase: "at 14:03", or "Mon 30 Nov at 14:03".

    If the time zone isn't known, a future time includes the day, because it may not be today for every
    reader.
    """
    return moment(at, now, zone, has_day=at > now, alone="at {time}")


def since(at: float, now: float, zone: tzinfo | None = None) -> Markup:
    """Return when something that is still in progress began: "14:03", or "Fri 27 Nov" if not today."""
    day = "" if zone is None else times.format_other_day(at, now, zone)
    return Markup(day) or moment(at, now, zone)


def day(at: float, now: float, zone: tzinfo | None) -> Dated:
    """Return a day ("Mon 30 Nov"). Slack formats it if it is today or the reader's zone isn't known."""
    marked = _mark(at, "{date_short_pretty}", times.format_day_in_utc(at))
    own = "" if zone is None else times.format_other_day(at, now, zone)
    return marked.rewrite(own) if own else marked


def _mark(at: float, form: str, otherwise: str) -> Dated:
    """Return a time that Slack formats for each reader, or shows as ``otherwise`` if it can't."""
    return Dated([[Part(f"<!date^{int(at)}^{form}|{otherwise}>", (int(at),))]])


def format_reason(hold: str, now: float, zone: tzinfo | None = None) -> str:
    """Return the reason why an operation is waiting, escaped, with times in the reader's time zone."""
    text = TIME_MARK.sub(lambda match: moment(float(match[1]), now, zone), safe(hold))
    moments = tuple(int(at) for at in TIME_MARK.findall(hold))
    return Dated([[Part(text, moments)]]) if moments else text


def strip_markup(text: str) -> str:
    """Return a paragraph with Usher's bold and code markup removed, for use in notifications.

    Other asterisks are kept, because they belong to names or cron expressions.
    """
    return _MARKUP_PATTERN.sub(lambda match: match[1] or match[2], text)


def strip_links(text: str) -> str:
    """Return a paragraph with each link replaced by its label."""
    return _LINK_PATTERN.sub(r"\1", text)


def answer(blocks: Iterable[Block], *, replaces: bool = False, is_question: bool = False) -> Answer:
    """Return an Answer. Text and blocks that don't fit into a message are cut."""
    fitting = fit(_finish_buttons(blocks))
    return Answer(notification(fitting), fitting, replaces=replaces, is_question=is_question)


def notification(blocks: Iterable[Block]) -> str:
    """Return the beginning of a message, for phone notifications: its headings and at least one sentence."""
    said: list[str] = []
    for line_ in islice(iterate_lines(blocks), _MAX_HEADINGS + 1):
        first, *more = _SENTENCE_END.split(strip_markup(strip_links(line_.removeprefix("• "))))
        said.append(first)
        if first.endswith((".", "!", "?", "\u2026")):
            room = accumulate((len(one) + 1 for one in more), initial=len(first))
            said[-1] = " ".join([first, *more[: sum(length <= _MAX_SHORT_LENGTH for length in room) - 1]])
            break
    return truncate(" – ".join(said).replace(": – ", ": "), limits.MAX_TEXT_LENGTH) or EMPTY_TEXT


def iterate_lines(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        texts = block.get("elements", ()) if block["type"] == "context" else (block.get("text") or {},)
        for text in texts:
            yield from filter(None, str(text.get("text") or "").splitlines())


def with_blocks(answer: Answer, blocks: Iterable[Block]) -> Answer:
    """Return an answer with other blocks, cut to Slack's limits as ``answer`` does."""
    fitting = fit(_finish_buttons(blocks))
    return replace(answer, text=notification(fitting), blocks=fitting)


def message(sentence: str, small: Sequence[str] = (), buttons: Iterable[Element] = (), **ways: Any) -> Answer:
    """Return a message of one paragraph. Any small print and buttons go below it.

    ``ways`` contains more arguments for ``answer``.
    """
    rows = actions(buttons) if (buttons := list(buttons)) else []
    return answer([section(sentence), *([context(*small)] if small else []), *rows], **ways)


def modal(
    title: str, blocks: Iterable[Block], *, submit: str = "", close: str = "", **keys: Any
) -> dict[str, Any]:
    """Return a form or, without ``submit``, a page. ``keys`` are additional keys for Slack's view object."""
    # Slack would label the button *Cancel*, but a page has nothing to cancel.
    labels = {"title": title, "submit": submit, "close": close or ("Cancel" if submit else "Close")}
    texts = {key: plain(label, limits.MAX_VIEW_TITLE_LENGTH) for key, label in labels.items() if label}
    return {"type": "modal", **texts, **keys, "blocks": list(blocks)}


def home(blocks: Iterable[Block]) -> dict[str, Any]:
    """Return a Home tab view.

    Blocks beyond Slack's limit are dropped, because Slack would refuse the view.
    """
    return {"type": "home", "blocks": _finish_buttons(blocks)[: limits.MAX_VIEW_BLOCKS]}


def text_field(name: str, label: str, **keys: Any) -> Block:
    """Return a form field for one line of text. ``keys`` are additional keys for Slack's element."""
    return field(name, label, {"type": "plain_text_input", "action_id": name, **keys})


def boxes(name: str, label: str, options: Sequence[Block], chosen: Sequence[Block], hint: str = "") -> Block:
    """Return a form field of checkboxes, of which the ``chosen`` ones are ticked."""
    element = {"type": "checkboxes", "action_id": name, "options": list(options)}
    ticked = {"initial_options": list(chosen)} if chosen else {}
    return field(name, label, element | ticked, hint, optional=True)


def time_field(name: str, label: str, initial: str) -> Block:
    """Return a form field for a time of day. ``initial`` is a time such as ``09:00``, or "" for none."""
    given = {"initial_time": initial} if initial else {}
    return field(name, label, {"type": "timepicker", "action_id": name, **given}, optional=True)


def field(name: str, label: str, element: Element, hint: str = "", *, optional: bool = False) -> Block:
    """Return a form field that contains one of Slack's elements."""
    given = {"label": plain(label, limits.MAX_LABEL_LENGTH), "element": element, "optional": optional}
    hinted = {"hint": plain(hint, limits.MAX_LABEL_LENGTH)} if hint else {}
    return {"type": "input", "block_id": name, **given, **hinted}


def select(
    name: str, label: str, options: Sequence[Block], chosen: Block | None = None, *, optional: bool = False
) -> Block:
    """Return a form field for choosing one option."""
    initial = {"initial_option": chosen} if chosen is not None else {}
    element = {"type": "static_select", "action_id": name, "options": list(options), **initial}
    return field(name, label, element, optional=optional)


def option(value: str, label: str) -> Block:
    """Return an option for a form field."""
    return {"text": plain(line(label, limits.MAX_OPTION_LENGTH), limits.MAX_OPTION_LENGTH), "value": value}


_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class RowPage(Generic[_Row]):
    """One page of rows, with its number and the number of rows on later pages."""

    shown: Sequence[_Row]
    number: int
    remaining: int


def get_page(rows: Sequence[_Row], number: int, size: int) -> RowPage[_Row]:
    """Return one page of rows. If ``number`` is too high, return the last page."""
    pages = max((len(rows) + size - 1) // size, 1)
    number = min(max(number, 1), pages)
    return RowPage(rows[(number - 1) * size : number * size], number, max(len(rows) - number * size, 0))


def row(text: str, buttons: Sequence[Element]) -> list[Block]:
    """Return a row of a list: its text, with one button next to it, or several buttons or a menu below."""
    if len(buttons) == 1 and buttons[0]["type"] == "button":
        return [section(text, buttons[0])]
    return [section(text), *actions(buttons)]
