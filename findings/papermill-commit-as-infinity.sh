#!/usr/bin/env bash
# papermill 2.7.0: the commit 12e4567, passed as a parameter, arrives in the notebook as infinity
#
# Expected: `-p NAME VALUE` passes a value, and `-r NAME VALUE` "raw strings". A value
#   that looks like a number becomes a number, so 7e-3 may become 0.007. An abbreviated
#   commit, a run's id or a room stays text.
# Seen: Whatever Python's int() or float() accepts becomes a number. 12e4567 becomes
#   float('inf'), room 2027_03 becomes 202703, and the word "infinity" becomes
#   float('inf'), too. The notebook runs without a warning, and the original text is in
#   no output. About one in 50 commits of seven characters has this form.
# Why it matters: A bot that starts notebooks with the commit, id or room that somebody
#   typed works for months, and then one report is about "inf". Pass text with -r, or all
#   parameters in a YAML file with quotes.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check papermill==2.7.0

cat >"$work/make.py" <<'PYTHON'
import sys

import nbformat

kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
cell = nbformat.v4.new_code_cell("commit = ''", metadata={"tags": ["parameters"]})
nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}), sys.argv[1])
PYTHON
cat >"$work/show.py" <<'PYTHON'
import sys

import nbformat

for cell in nbformat.read(sys.argv[1], as_version=4).cells:
    if "injected-parameters" in cell.metadata.get("tags", []):
        print("\n".join(line for line in cell.source.splitlines() if " = " in line))
PYTHON
"$work/venv/bin/python" -W ignore "$work/make.py" "$work/report.ipynb"
"$work/venv/bin/papermill" --prepare-only --no-progress-bar "$work/report.ipynb" "$work/prepared.ipynb" \
  -p commit 12e4567 -p other 12f4567 -p room 2027_03 -p until infinity -r raw 12e4567 2>/dev/null
seen="$("$work/venv/bin/python" -W ignore "$work/show.py" "$work/prepared.ipynb")"

echo "papermill 2.7.0, papermill --prepare-only"
echo "Expected: commit, other, room and until as text."
echo "Seen:"
echo "$seen"
wanted="commit = float('inf')
other = \"12f4567\"
room = 202703
until = float('inf')
raw = \"12e4567\""
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
