"""Tests of Block Kit in the local Slack: every surface, limit and field published in ``block_kit.json``."""

from collections.abc import Callable
from typing import Any

import pytest

from playground.slack.kit import check_attachments, check_message, check_options, check_view
from playground.slack.kit.published import FIELDS, LIMITS, REQUIRED_BY_SLACK, SURFACES, shape

Block = dict[str, Any]
URL = "https://a.example/"


def plain(length: int = 1) -> Block:
    return {"type": "plain_text", "text": "x" * length}


def address(length: int) -> str:
    return URL + "x" * (length - len(URL))


def option(number: int = 0, **more: Any) -> Block:
    return {"text": plain(), "value": f"v{number}", **more}


def options(count: int) -> list[Block]:
    return [option(number) for number in range(count)]


def button(**more: Any) -> Block:
    return {"type": "button", "action_id": "b", "text": plain(), **more}


def confirmation(**more: Any) -> Block:
    return button(confirm={"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **more})


def select(**more: Any) -> Block:
    offer = {} if "option_groups" in more else {"options": options(1)}
    return {"type": "static_select", "action_id": "s", **offer, **more}


def chooser(kind: str, count: int) -> Block:
    return {"type": kind, "action_id": "c", "options": options(count)}


def typed(kind: str = "plain_text_input", **more: Any) -> Block:
    return {"type": kind, "action_id": "t", **more}


def rich(kind: str = "rich_text_section", **more: Any) -> Block:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    elements = [section] if kind == "rich_text_list" else section["elements"]
    own = {"style": "bullet"} if kind == "rich_text_list" else {}
    return {"type": "rich_text", "elements": [{"type": kind, "elements": elements, **own, **more}]}


def card(**more: Any) -> Block:
    return {"type": "card", "title": plain(), **more}


def task(number: int = 0, **more: Any) -> Block:
    return {"type": "task_card", "task_id": str(number), "title": "x", "status": "complete", **more}


def cells(count: int, text: str = "x") -> list[Block]:
    return [{"type": "raw_text", "text": text}] * count


def table(rows: int = 1, columns: int = 1, **more: Any) -> Block:
    return {"type": "table", "rows": [cells(columns)] * rows, **more}


def data_table(rows: int = 2, columns: int = 1, text: str = "x", **more: Any) -> Block:
    return {"type": "data_table", "caption": "x", "rows": [cells(columns, text)] * rows, **more}


def pie(segments: int = 1, label: str = "x", value: float = 1) -> Block:
    return chart({"type": "pie", "segments": [{"label": label, "value": value}] * segments})


def chart(inner: Block, title: str = "x") -> Block:
    return {"type": "data_visualization", "title": title, "chart": inner}


def bars(series: int = 1, categories: int = 1, name: str = "x", label: str = "", **axis: Any) -> Block:
    labels = [label or str(number) for number in range(categories)]
    data = [{"label": each, "value": 1} for each in labels]
    config = {"categories": labels, **axis}
    return chart({"type": "bar", "series": [{"name": name, "data": data}] * series, "axis_config": config})


def filled_table(characters: int) -> Block:
    """Return a data table with two rows, whose cells have this many characters in total."""
    return {"type": "data_table", "caption": "x", "rows": [cells(1), long_cells(characters - 1)]}


def long_cells(characters: int) -> list[Block]:
    sizes = [3000] * (characters // 3000) + [characters % 3000]
    return [{"type": "rich_text", "elements": [rich_words(sizes)]}]


def rich_words(sizes: list[int]) -> Block:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": "x" * n} for n in sizes if n]}


def image(**more: Any) -> Block:
    return {"type": "image", "alt_text": "x", "image_url": URL, **more}


def video(**more: Any) -> Block:
    return {
        "type": "video",
        "alt_text": "x",
        "title": plain(),
        "thumbnail_url": URL,
        "video_url": URL,
        **more,
    }


def field(element: Block, **more: Any) -> Block:
    return {"type": "input", "label": plain(), "element": element, **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def feedback(**more: Any) -> Block:
    one = {"text": plain(), "value": "x", **more}
    element = {"type": "feedback_buttons", "action_id": "f", "positive_button": one, "negative_button": one}
    return {"type": "context_actions", "elements": [element]}


def icon(**more: Any) -> Block:
    element = {"type": "icon_button", "action_id": "i", "icon": "trash", "text": plain(), **more}
    return {"type": "context_actions", "elements": [element]}


#: The smallest example of each block.
SMALLEST: dict[str, Block] = {
    "actions": actions(button()),
    "alert": {"type": "alert", "text": plain()},
    "card": card(),
    "carousel": {"type": "carousel", "elements": [card()]},
    "container": {"type": "container", "title": plain(), "child_blocks": [{"type": "divider"}]},
    "context": {"type": "context", "elements": [plain()]},
    "context_actions": feedback(),
    "data_table": data_table(),
    "data_visualization": pie(),
    "divider": {"type": "divider"},
    "file": {"type": "file", "external_id": "x", "source": "remote"},
    "header": {"type": "header", "text": plain()},
    "image": image(),
    "input": field(typed()),
    "markdown": {"type": "markdown", "text": "x"},
    "plan": {"type": "plan", "title": "x"},
    "rich_text": rich(),
    "section": {"type": "section", "text": plain()},
    "table": table(),
    "task_card": task(),
    "video": video(),
}


def check_on(surface: str, *blocks: Block, **more: Any) -> list[str]:
    """Return the local Slack's objections to blocks on a surface."""
    if surface == "message":
        return check_message(list(blocks)).messages
    own = {"title": plain(), "submit": plain()} if surface == "modal" else {}
    return check_view({"type": surface, "blocks": list(blocks), **own, **more}, surface).messages


@pytest.mark.parametrize("surface", SURFACES, ids=str)
@pytest.mark.parametrize("kind", SMALLEST, ids=str)
def test_block_is_taken_where_published(kind, surface):
    refused = check_on(surface, SMALLEST[kind])
    assert not refused if kind in SURFACES[surface] else f"unsupported type: {kind}" in refused[0]


def test_every_published_block_has_an_example():
    assert set(SMALLEST) == {kind for kinds in SURFACES.values() for kind in kinds}


def refused_message(*blocks: Block) -> list[str]:
    return check_on("message", *blocks)


def refused_modal(*blocks: Block, **more: Any) -> list[str]:
    return check_on("modal", *blocks, **more)


def with_element(make: Callable[[int], Block]) -> Callable[[int], list[str]]:
    return lambda number: refused_message(actions(make(number)))


def with_input(make: Callable[[int], Block]) -> Callable[[int], list[str]]:
    return lambda number: refused_modal(field(make(number)))


def with_block(make: Callable[[int], Block]) -> Callable[[int], list[str]]:
    return lambda number: refused_message(make(number))


def placeholder(kind: str) -> Callable[[int], list[str]]:
    return with_input(lambda length: typed(kind, placeholder=plain(length)))


#: By limit: a function that checks an example of the given size. It is called with the limit, and with one
#: beyond it.
EXAMPLES: dict[str, Callable[[int], list[str]]] = {
    "text.min_length": with_block(lambda n: {"type": "section", "text": plain(n)}),
    "text.max_length": with_block(lambda n: {"type": "context", "elements": [plain(n)]}),
    "action_id.max_length": with_element(lambda n: button(action_id="x" * n)),
    "block_id.max_length": with_block(lambda n: {"type": "divider", "block_id": "x" * n}),
    "button.text.max_length": with_element(lambda n: button(text=plain(n))),
    "button.url.max_length": with_element(lambda n: button(url=address(n))),
    "button.value.max_length": with_element(lambda n: button(value="x" * n)),
    "button.accessibility_label.max_length": with_element(lambda n: button(accessibility_label="x" * n)),
    "button.agent_prompt.max_length": with_element(lambda n: button(agent_prompt="x" * n)),
    "confirmation.title.max_length": with_element(lambda n: confirmation(title=plain(n))),
    "confirmation.text.max_length": with_element(lambda n: confirmation(text=plain(n))),
    "confirmation.confirm.max_length": with_element(lambda n: confirmation(confirm=plain(n))),
    "confirmation.deny.max_length": with_element(lambda n: confirmation(deny=plain(n))),
    "option.text.max_length": with_element(lambda n: select(options=[option(text=plain(n))])),
    "option.value.max_length": with_element(lambda n: select(options=[option(value="x" * n)])),
    "option.description.max_length": with_element(lambda n: select(options=[option(description=plain(n))])),
    "option.url.max_length": with_element(
        lambda n: {"type": "overflow", "action_id": "o", "options": [option(url=address(n))]}
    ),
    "option_group.label.max_length": with_element(
        lambda n: select(option_groups=[{"label": plain(n), "options": options(1)}])
    ),
    "option_group.options": with_element(
        lambda n: select(option_groups=[{"label": plain(), "options": options(n)}])
    ),
    "select.placeholder.max_length": with_element(lambda n: select(placeholder=plain(n))),
    "select.options": with_element(lambda n: select(options=options(n))),
    "select.option_groups": with_element(
        lambda n: select(option_groups=[{"label": plain(), "options": options(1)}] * n)
    ),
    "select.min_query_length": with_element(
        lambda n: {"type": "external_select", "action_id": "s", "min_query_length": n}
    ),
    "overflow.options": with_element(lambda n: chooser("overflow", n)),
    "checkboxes.options": with_element(lambda n: chooser("checkboxes", n)),
    "radio_buttons.options": with_element(lambda n: chooser("radio_buttons", n)),
    "file_input.max_files": with_input(lambda n: typed("file_input", max_files=n)),
    "plain_text_input.min_length": with_input(lambda n: typed(min_length=n)),
    "plain_text_input.max_length": with_input(lambda n: typed(max_length=n)),
    "plain_text_input.placeholder.max_length": placeholder("plain_text_input"),
    "email_input.placeholder.max_length": placeholder("email_text_input"),
    "url_input.placeholder.max_length": placeholder("url_text_input"),
    "number_input.placeholder.max_length": with_input(
        lambda n: typed("number_input", is_decimal_allowed=False, placeholder=plain(n))
    ),
    "date_picker.placeholder.max_length": placeholder("datepicker"),
    "time_picker.placeholder.max_length": placeholder("timepicker"),
    "rich_text_input.placeholder.max_length": placeholder("rich_text_input"),
    "rich_text_input.min_lines": with_input(lambda n: typed("rich_text_input", min_lines=n)),
    "rich_text_input.max_lines": with_input(lambda n: typed("rich_text_input", max_lines=n)),
    "multi_select.max_selected_items": with_element(
        lambda n: {"type": "multi_users_select", "action_id": "s", "max_selected_items": n}
    ),
    "dispatch_action_configuration.trigger_actions_on": with_input(
        lambda n: typed(dispatch_action_config={"trigger_actions_on": ["on_enter_pressed"] * n})
    ),
    "actions.elements": with_block(lambda n: actions(*[button(action_id=str(each)) for each in range(n)])),
    "alert.text.max_length": lambda n: refused_modal({"type": "alert", "text": plain(n)}),
    "card.title.max_length": with_block(lambda n: card(title=plain(n))),
    "card.subtitle.max_length": with_block(lambda n: card(subtitle=plain(n))),
    "card.body.max_length": with_block(lambda n: card(body=plain(n))),
    "card.subtext.max_length": with_block(lambda n: card(subtext=plain(n))),
    "card.actions": with_block(lambda n: card(actions=[button(action_id=str(each)) for each in range(n)])),
    "carousel.elements": with_block(lambda n: {"type": "carousel", "elements": [card()] * n}),
    "container.title.max_length": with_block(lambda n: {**SMALLEST["container"], "title": plain(n)}),
    "container.subtitle.max_length": with_block(lambda n: {**SMALLEST["container"], "subtitle": plain(n)}),
    "container.child_blocks": with_block(
        lambda n: {**SMALLEST["container"], "child_blocks": [{"type": "divider"}] * n}
    ),
    "context.elements": with_block(lambda n: {"type": "context", "elements": [plain()] * n}),
    "context_actions.elements": with_block(
        lambda n: {"type": "context_actions", "elements": feedback()["elements"] * n}
    ),
    "feedback_button.text.max_length": with_block(lambda n: feedback(text=plain(n))),
    "feedback_button.value.max_length": with_block(lambda n: feedback(value="x" * n)),
    "feedback_button.accessibility_label.max_length": with_block(
        lambda n: feedback(accessibility_label="x" * n)
    ),
    "icon_button.value.max_length": with_block(lambda n: icon(value="x" * n)),
    "icon_button.accessibility_label.max_length": with_block(lambda n: icon(accessibility_label="x" * n)),
    "icon_button.visible_to_user_ids": with_block(lambda n: icon(visible_to_user_ids=["U1"] * n)),
    "workflow_button.text.max_length": with_element(
        lambda n: typed("workflow_button", text=plain(n), workflow={})
    ),
    "workflow_button.accessibility_label.max_length": with_element(
        lambda n: typed("workflow_button", text=plain(), workflow={}, accessibility_label="x" * n)
    ),
    "table.rows": with_block(lambda n: table(rows=n)),
    "table.columns": with_block(lambda n: table(columns=n)),
    "table.column_settings": with_block(lambda n: table(column_settings=[{"align": "left"}] * n)),
    "data_table.rows": with_block(lambda n: data_table(rows=n)),
    "data_table.columns": with_block(lambda n: data_table(columns=n)),
    "data_table.page_size": with_block(lambda n: data_table(page_size=n)),
    "data_table.cell_text.min_length": with_block(lambda n: data_table(text="x" * n)),
    "data_table.content.max_length": with_block(filled_table),
    "data_table.total_content.max_length": lambda n: refused_message(filled_table(n - 2), data_table()),
    "data_table.row_header_column_index": with_block(lambda n: data_table(row_header_column_index=n)),
    "data_visualization.title.max_length": with_block(lambda n: chart(pie()["chart"], "x" * n)),
    "data_visualization.segments": with_block(lambda n: pie(segments=n)),
    "data_visualization.segment.label.max_length": with_block(lambda n: pie(label="x" * n)),
    "data_visualization.series": with_block(lambda n: bars(series=n)),
    "data_visualization.series_name.max_length": with_block(lambda n: bars(name="x" * n)),
    "data_visualization.data": with_block(lambda n: bars(categories=n)),
    "data_visualization.point_label.max_length": with_block(lambda n: bars(label="x" * n)),
    "data_visualization.categories": with_block(lambda n: bars(categories=n)),
    "data_visualization.category_label.max_length": with_block(lambda n: bars(label="x" * n)),
    "data_visualization.axis_label.max_length": with_block(lambda n: bars(x_label="x" * n)),
    "header.text.max_length": with_block(lambda n: {"type": "header", "text": plain(n)}),
    "image.image_url.max_length": with_block(lambda n: image(image_url=address(n))),
    "image.alt_text.max_length": with_block(lambda n: image(alt_text="x" * n)),
    "image.title.max_length": with_block(lambda n: image(title=plain(n))),
    "image_element.image_url.max_length": with_block(
        lambda n: {"type": "context", "elements": [image(image_url=address(n))]}
    ),
    "image_element.alt_text.max_length": with_block(
        lambda n: {"type": "context", "elements": [image(alt_text="x" * n)]}
    ),
    "input.label.max_length": lambda n: refused_modal(field(typed(), label=plain(n))),
    "input.hint.max_length": lambda n: refused_modal(field(typed(), hint=plain(n))),
    "markdown.text.max_length": with_block(lambda n: {"type": "markdown", "text": "x" * n}),
    "markdown.total_text.max_length": lambda n: refused_message(
        {"type": "markdown", "text": "x"}, {"type": "markdown", "text": "x" * (n - 1)}
    ),
    "plan.tasks": with_block(
        lambda n: {"type": "plan", "title": "x", "tasks": [task(each) for each in range(n)]}
    ),
    "rich_text_list.indent": with_block(lambda n: rich("rich_text_list", indent=n)),
    "rich_text_list.offset": with_block(lambda n: rich("rich_text_list", offset=n)),
    "rich_text_list.border": with_block(lambda n: rich("rich_text_list", border=n)),
    "rich_text_quote.border": with_block(lambda n: rich("rich_text_quote", border=n)),
    "rich_text_preformatted.border": with_block(lambda n: rich("rich_text_preformatted", border=n)),
    "section.text.max_length": with_block(lambda n: {"type": "section", "text": plain(n)}),
    "section.fields": with_block(lambda n: {"type": "section", "fields": [plain()] * n}),
    "section.fields.item_max_length": with_block(lambda n: {"type": "section", "fields": [plain(n)]}),
    "video.alt_text.max_length": with_block(lambda n: video(alt_text="x" * n)),
    "video.title.max_length": with_block(lambda n: video(title=plain(n))),
    "video.author_name.max_length": with_block(lambda n: video(author_name="x" * n)),
    "video.description.max_length": with_block(lambda n: video(description=plain(n))),
    "video.provider_name.max_length": with_block(lambda n: video(provider_name="x" * n)),
    "video.thumbnail_url.max_length": with_block(lambda n: video(thumbnail_url=address(n))),
    "video.video_url.max_length": with_block(lambda n: video(video_url=address(n))),
    "video.title_url.max_length": with_block(lambda n: video(title_url=address(n))),
    "video.provider_icon_url.max_length": with_block(lambda n: video(provider_icon_url=address(n))),
    "message.data_visualizations": lambda n: refused_message(*[pie()] * n),
    "message.blocks": lambda n: refused_message(*[{"type": "divider"}] * n),
    "message.attachments": lambda n: check_attachments([{}] * n).messages,
    "view.blocks": lambda n: refused_modal(*[{"type": "divider"}] * n),
    "view.private_metadata.max_length": lambda n: refused_modal(private_metadata="x" * n),
    "view.callback_id.max_length": lambda n: refused_modal(callback_id="x" * n),
    "view.external_id.max_length": lambda n: refused_modal(external_id="x" * n),
    "view.title.max_length": lambda n: refused_modal(title=plain(n)),
    "view.close.max_length": lambda n: refused_modal(close=plain(n)),
    "view.submit.max_length": lambda n: refused_modal(submit=plain(n)),
}
#: Limits that the local Slack doesn't check, with the reason.
UNCHECKED = {
    "conversation_filter.include.min_items": "no menu of Usher's filters conversations",
    "data_visualization.segment.value.exclusive_min": "a bound that is itself refused: tested below",
    "message.channel.min_length": "the method looks the channel up",
}
SUFFIXES = (".min_items", ".max_items", ".min", ".max")


def example_of(name: str) -> Callable[[int], list[str]]:
    """Return the example for a limit. The two bounds of a list or number share one."""
    stem = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
    return EXAMPLES.get(name) or EXAMPLES[stem]


@pytest.mark.parametrize("name", sorted(set(LIMITS) - set(UNCHECKED)), ids=str)
def test_limit_is_met_exactly_and_refused_beyond(name):
    check, limit = example_of(name), LIMITS[name]
    beyond = limit - 1 if name.endswith((".min", ".min_items", "text.min_length")) else limit + 1
    assert check(limit) == []
    assert beyond < 0 or check(beyond)


def test_no_example_is_of_an_unpublished_limit():
    assert set(EXAMPLES) <= {*LIMITS, *(name.rsplit(".", 1)[0] for name in LIMITS)}


BROKEN = {
    "a segment of nothing": pie(value=0),
    "two plain tables": [table(), table()],
    "a plan beside a task": [SMALLEST["plan"], task()],
    "a pending task alone": task(status="pending"),
    "a task twice in a plan": {"type": "plan", "title": "x", "tasks": [task(), task()]},
    "a task without a title": {"type": "task_card", "task_id": "x", "status": "complete"},
    "a task of an unknown status": task(status="completed"),
    "an empty card": {"type": "card"},
    "a card with two icons": card(icon=image(), slack_icon={"name": "x"}),
    "a container without a title": {"type": "container", "child_blocks": [{"type": "divider"}]},
    "a card in a container": {**SMALLEST["container"], "child_blocks": [card()]},
    "rows of different lengths": {"type": "table", "rows": [cells(1), cells(2)]},
    "a header of rich text": {"type": "data_table", "caption": "x", "rows": [[rich()], cells(1)]},
    "a row header beyond the columns": data_table(row_header_column_index=1),
    "a series without a point for a category": chart({
        "type": "line",
        "series": [{"name": "x", "data": [{"label": "a", "value": 1}]}],
        "axis_config": {"categories": ["a", "b"]},
    }),
    "an unknown alignment": table(column_settings=[{"align": "middle"}]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN, ids=str)
def test_contradictory_block_is_refused(name):
    blocks = BROKEN[name] if isinstance(BROKEN[name], list) else [BROKEN[name]]
    assert len(refused_message(*blocks)) == 1


@pytest.mark.parametrize("kind", sorted(set(SMALLEST) - {"data_visualization"}), ids=str)
def test_required_and_unknown_fields_of_a_block(kind):
    surface = next(surface for surface, kinds in SURFACES.items() if kind in kinds)
    for name, facts in FIELDS[kind].items():
        without = {key: value for key, value in SMALLEST[kind].items() if key != name}
        assert bool(check_on(surface, without)) or not facts["required"]
    assert check_on(surface, {**SMALLEST[kind], "colour": "red"})


def test_shape_needs_a_check_of_every_published_field():
    with pytest.raises(ValueError, match="colour"):
        shape("divider", block_id=lambda *_: None, colour=lambda *_: None)
    with pytest.raises(ValueError, match="block_id"):
        shape("divider")


def test_slack_requires_what_types_leave_open():
    for kind, names in REQUIRED_BY_SLACK.items():
        assert names <= set(FIELDS[kind])


def test_answered_options_have_the_limits_of_a_menu():
    assert check_options({"options": options(LIMITS["select.options.max_items"])}).messages == []
    assert check_options({"options": options(LIMITS["select.options.max_items"] + 1)}).messages
