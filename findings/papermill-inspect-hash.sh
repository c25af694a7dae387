#!/usr/bin/env bash
# papermill 2.7.0: a default value ends at its first #, even inside quotes
#
# Expected: inspect_notebook() returns "a dictionary of parameters", each with its name,
#   type, default and help. The help is a comment at the end of the line. In Python, a #
#   inside quotes doesn't begin a comment.
# Seen: If the default is a colour, a channel or an address with a fragment, it is cut
#   off at the # inside the string, and the rest becomes the help. The default is then
#   no longer valid Python ("'" for '#general'). Executing the notebook isn't affected,
#   because the notebook itself is correct.
# Why it matters: A program that builds a form from inspect_notebook, and sends
#   unchanged fields back, runs the notebook with a quotation mark instead of a channel.
#   Send only changed values, or parse the defaults with ast.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  papermill==2.7.0 nbclient==0.11.0 nbformat==5.11.1 jupyter-client==8.10.0

cat >"$work/inspect_notebook.py" <<'PYTHON'
import sys

import nbformat
import papermill

SOURCE = """rows: int = 10  # how many
channel = '#general'
colour: str = '#1f77b4'  # of the line
page = 'https://example.org/report#totals'
"""

cell = nbformat.v4.new_code_cell(SOURCE, metadata={"tags": ["parameters"]})
kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}), sys.argv[1])
for name, parameter in papermill.inspect_notebook(sys.argv[1]).items():
    print(f"{name}: default {parameter['default']} | help {parameter['help']}")
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/inspect_notebook.py" "$work/report.ipynb")"

echo "papermill 2.7.0, inspect_notebook"
echo "Expected: '#general', '#1f77b4' and the whole address as defaults."
echo "Seen:"
echo "$seen"
wanted="rows: default 10 | help how many
channel: default ' | help general'
colour: default ' | help 1f77b4'  # of the line
page: default 'https://example.org/report | help totals'"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
