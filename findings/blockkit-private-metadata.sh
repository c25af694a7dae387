#!/usr/bin/env bash
# blockkit 2.1.3: a form without metadata is sent with the metadata "null"
#
# Expected: A modal or Home tab without private_metadata is built without that key. Slack then
#   returns an empty string (according to its reference, the field is optional), so `if
#   view["private_metadata"]` tells whether there is metadata.
# Seen: build() writes json.dumps(None), so the view is sent to Slack with the four letters null as
#   its metadata, and comes back with them. It isn't possible to leave the metadata out explicitly
#   either: an empty string is refused as too short, and None is the default, which becomes null.
# Why it matters: A handler that uses this field to tell "opened from a message" from "opened by a
#   command" takes every form for the first kind, and looks up a row named null. Compare the field
#   with "null", or always set a value.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check blockkit==2.1.3

cat >"$work/forms.py" <<'PYTHON'
from blockkit import Divider, Home, Modal

def show(name, view):
    try:
        print(f"{name}: {view().build().get('private_metadata')!r}")
    except Exception as error:
        print(f"{name}: {error}")

def modal():
    return Modal().title("New workspace").add_block(Divider())

show("modal", modal)
show("Home", lambda: Home().add_block(Divider()))
show("modal that notes ws_1", lambda: modal().private_metadata("ws_1"))
show("modal that notes an empty text", lambda: modal().private_metadata(""))
PYTHON
seen="$("$work/venv/bin/python" "$work/forms.py")"

echo "blockkit 2.1.3: the private_metadata of views that are sent to Slack"
echo "Expected: None for the first two and an empty string for the last, or no key at all."
echo "Seen:"
echo "$seen"
wanted="modal: 'null'
Home: 'null'
modal that notes ws_1: 'ws_1'
modal that notes an empty text: Field 'private_metadata': Length must be between 1 and 3000 (got 0)"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
