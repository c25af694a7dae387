#!/usr/bin/env bash
# slackify-markdown 0.2.4 (PyPI): only the first line of a quotation is quoted
#
# Expected: the package calls itself the Python version of slackify-markdown from
#   npm. CommonMark 0.31.2, section 5.1: all lines that begin with > are one
#   block quote. Slack's formatting reference: > quotes one line, so each line of
#   a quotation needs its own. npm's slackify-markdown 4.5.0 writes it so.
# Seen: the package of the same name from PyPI writes one > before the block. All
#   lines but the first stand outside of the quotation, a second paragraph too.
# Why it matters: what somebody else said, or what a program printed, is shown as
#   the bot's own words from the second line on.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  slackify-markdown==0.2.4 markdown-it-py==4.3.0 mdurl==0.1.2
npm install --silent --no-audit --no-fund --prefix "$work" slackify-markdown@4.5.0

cat >"$work/quote.py" <<'PYTHON'
import json

from slackify_markdown import slackify_markdown

print("PyPI:", json.dumps(slackify_markdown("> no seats left\n> try again at noon\n>\n> the lab").strip()))
PYTHON
cat >"$work/quote.cjs" <<'NODE'
const slackify = require("slackify-markdown");
console.log("npm:", JSON.stringify(slackify("> no seats left\n> try again at noon\n>\n> the lab").trim()));
NODE
seen="$("$work/venv/bin/python" "$work/quote.py"; node "$work/quote.cjs")"

echo "slackify-markdown 0.2.4 from PyPI beside 4.5.0 from npm"
echo "Expected: a > before each line, from both."
echo "Seen:"
echo "$seen"
wanted='PyPI: "> no seats left\ntry again at noon\n\nthe lab"
npm: "> no seats left\n> try again at noon\n>\n> the lab"'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
