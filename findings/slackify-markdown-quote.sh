#!/usr/bin/env bash
# slackify-markdown 0.2.4 (PyPI): only the first line of a quotation is quoted
#
# Expected: The package calls itself the Python version of slackify-markdown from npm.
#   According to CommonMark 0.31.2, section 5.1, consecutive lines that begin with >
#   form one block quote. According to Slack's formatting reference, > quotes one line,
#   so every line of a quotation needs its own >. slackify-markdown 4.5.0 from npm
#   writes it in this way.
# Seen: The package of the same name from PyPI writes one > before the block. All lines
#   but the first are outside the quotation, including a second paragraph.
# Why it matters: From the second line on, text that another person wrote or a program
#   printed looks like the bot's own words.
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

echo "slackify-markdown 0.2.4 from PyPI compared with 4.5.0 from npm"
echo "Expected: both put a > before each line."
echo "Seen:"
echo "$seen"
wanted='PyPI: "> no seats left\ntry again at noon\n\nthe lab"
npm: "> no seats left\n> try again at noon\n>\n> the lab"'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
