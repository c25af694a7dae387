#!/usr/bin/env bash
# slack-block-builder 2.8.0 (npm): the minimum, maximum and initial value of a number input can't be zero
#
# Expected: NumberInput accepts minValue, maxValue and initialValue as numbers, and
#   Slack's reference of number_input has min_value, max_value and initial_value. A
#   minimum of 0 is the usual way to refuse negative numbers. The same package keeps a
#   minLength of 0 for TextInput.
# Seen: 0 is left out of all three, as if it hadn't been set. Every other number is
#   written as a string, as Slack requires.
# Why it matters: A form for hours or seats accepts -3, and a suggested value of 0 is
#   shown as an empty field. Neither the types nor the build report a problem. slack_sdk
#   for Python keeps 0, and writes "0".
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" slack-block-builder@2.8.0
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check slack-sdk==3.48.0

cat >"$work/number.cjs" <<'NODE'
const { Elements } = require("slack-block-builder");
const show = (label, element) => console.log(label, JSON.stringify(element.build()));
show("zero:", Elements.NumberInput({ actionId: "hours", minValue: 0, maxValue: 0, initialValue: 0 }));
show("one:", Elements.NumberInput({ actionId: "hours", minValue: 1 }));
show("text:", Elements.TextInput({ actionId: "note", minLength: 0 }));
NODE
cat >"$work/number.py" <<'PYTHON'
import json

from slack_sdk.models.blocks import NumberInputElement

element = NumberInputElement(action_id="hours", min_value=0, max_value=0, initial_value=0)
print("slack_sdk:", json.dumps(element.to_dict(), sort_keys=True))
PYTHON
seen="$(node "$work/number.cjs"; "$work/venv/bin/python" "$work/number.py")"

echo "slack-block-builder 2.8.0 compared with slack_sdk 3.48.0"
echo "Expected: min_value, max_value and initial_value of zero."
echo "Seen:"
echo "$seen"
wanted='zero: {"action_id":"hours","type":"number_input"}
one: {"action_id":"hours","min_value":"1","type":"number_input"}
text: {"action_id":"note","min_length":0,"type":"plain_text_input"}
slack_sdk: {"action_id": "hours", "initial_value": "0", "is_decimal_allowed": false, "max_value": "0", "min_value": "0", "type": "number_input"}'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
