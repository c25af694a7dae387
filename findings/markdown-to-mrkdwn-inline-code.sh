#!/usr/bin/env bash
# markdown-to-mrkdwn 0.3.3: names in backticks are changed
#
# Expected: According to CommonMark 0.31.2, section 6.1, backticks bind more tightly
#   than emphasis and links, so the text of a code span is literal. Slack's mrkdwn also
#   shows code spans literally. An asterisk between spaces (section 6.2) isn't emphasis.
#   So all of these lines stay as they are.
# Seen: Only fenced blocks are left unchanged. In a code span, __init__ becomes *init*,
#   a*b*c becomes a_b_c, and a link becomes <address|text>. Outside code, "2 * 3 * 4"
#   becomes "2 _ 3 _ 4". slackify-markdown 0.2.4 leaves all four unchanged.
# Why it matters: An assistant's answer shows the wrong file name or formula in Slack,
#   and people copy it. The message looks right, because code is shown as code.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  markdown-to-mrkdwn==0.3.3 slackify-markdown==0.2.4 markdown-it-py==4.3.0 mdurl==0.1.2

cat >"$work/code_spans.py" <<'PYTHON'
from markdown_to_mrkdwn import SlackMarkdownConverter
from slackify_markdown import slackify_markdown

LINES = ("see `__init__`", "run `a*b*c`", "write `[text](page)`", "2 * 3 * 4")

for line in LINES:
    kept = slackify_markdown(line).strip() == line
    print(f"{line} -> {SlackMarkdownConverter().convert(line)} (kept by slackify-markdown: {kept})")
PYTHON
seen="$("$work/venv/bin/python" "$work/code_spans.py")"

echo "markdown-to-mrkdwn 0.3.3 compared with slackify-markdown 0.2.4"
echo "Expected: each line is unchanged."
echo "Seen:"
echo "$seen"
wanted='see `__init__` -> see `*init*` (kept by slackify-markdown: True)
run `a*b*c` -> run `a_b_c` (kept by slackify-markdown: True)
write `[text](page)` -> write `<page|text>` (kept by slackify-markdown: True)
2 * 3 * 4 -> 2 _ 3 _ 4 (kept by slackify-markdown: True)'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
