#!/usr/bin/env bash
# sqlite-utils 4.2.1: transform() loses generated columns and collations
#
# Expected: According to "Transforming a table" in the documentation, transform() copies
#   the table with the required changes, reformats its schema, and raises TransformError
#   if a table can't be transformed. Version 4 preserves check constraints, unique
#   constraints, STRICT and AUTOINCREMENT. So renaming one column leaves the others as
#   they are.
# Seen: After the call, a generated column (sqlite.org/gencol.html) is missing, and so
#   is a column's COLLATE NOCASE. The copied rows are kept, and no error is raised or
#   logged. From then on, queries that use the generated column fail, and comparisons
#   that ignored case no longer do.
# Why it matters: A migration that only renames a column changes how accounts or
#   workspaces are found by name. Compare the table's columns before and after, or
#   rename with ALTER TABLE.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  sqlite-utils==4.2.1 sqlite-fts4==1.0.3 click==8.5.1 click-default-group==1.2.4 \
  tabulate==0.10.0 python-dateutil==4.0.0 pluggy==1.7.0

cat >"$work/transform.py" <<'PYTHON'
from sqlite_utils import Database

db = Database(memory=True)
db.execute(
    "CREATE TABLE workspace ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT COLLATE NOCASE CHECK (length(name) > 1),"
    " slug TEXT GENERATED ALWAYS AS (lower(name)) STORED,"
    " note TEXT)"
)
db.execute("INSERT INTO workspace (name, note) VALUES ('Lab', 'first')")


def describe(label):
    columns = [row[1] for row in db.execute("PRAGMA table_xinfo(workspace)")]
    matches = db.execute("SELECT count(*) FROM workspace WHERE name = 'LAB'").fetchone()[0]
    checked = "CHECK" in db["workspace"].schema
    print(f"{label}: {', '.join(columns)}; rows with name = 'LAB': {matches}; check: {checked}")


describe("before")
db["workspace"].transform(rename={"note": "remark"})
describe("after")
PYTHON
seen="$("$work/venv/bin/python" "$work/transform.py")"

echo "sqlite-utils 4.2.1, transform(rename={'note': 'remark'})"
echo "Expected: slug stays, and 'LAB' is still found."
echo "Seen:"
echo "$seen"
wanted="before: id, name, slug, note; rows with name = 'LAB': 1; check: True
after: id, name, remark; rows with name = 'LAB': 0; check: True"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
