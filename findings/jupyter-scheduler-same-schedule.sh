#!/usr/bin/env bash
# jupyter_scheduler 2.12.1: new parameters are dropped if an unchanged schedule is sent with them
#
# Expected: In the model that update_job_definition() accepts (the server's PATCH), every field is
#   optional. A client that reads a definition, changes a parameter and sends the definition back
#   has changed the parameter.
# Seen: If schedule and timezone equal those that the definition already has, and `active` doesn't
#   change, the call returns immediately. Name, parameters, tags and environment are discarded,
#   without an error or a line in the log. The same change is stored if it is sent without a
#   schedule, or with a schedule that differs by a minute.
# Why it matters: A client that works with whole definitions (read, change, send) reports success,
#   but tonight's run still uses yesterday's parameters. Send only the fields that have changed, and
#   read the definition again.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jupyter_scheduler==2.12.1

cat >"$work/definitions.py" <<'PYTHON'
import os
import sys

import nbformat
from jupyter_scheduler.environments import StaticEnvironmentManager
from jupyter_scheduler.models import CreateJobDefinition, UpdateJobDefinition
from jupyter_scheduler.orm import create_tables
from jupyter_scheduler.scheduler import Scheduler

folder = sys.argv[1]
kernel = {"name": "python3", "display_name": "Python 3"}
cell = nbformat.v4.new_code_cell("alpha = 0.1", metadata={"tags": ["parameters"]})
notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel}, cells=[cell])
nbformat.write(notebook, os.path.join(folder, "train.ipynb"))

url = f"sqlite:///{folder}/scheduler.sqlite"
create_tables(url)
scheduler = Scheduler(root_dir=folder, environments_manager=StaticEnvironmentManager(), db_url=url)
nightly = {"schedule": "0 1 * * *", "timezone": "Europe/Berlin"}
definition = scheduler.create_job_definition(
    CreateJobDefinition(
        input_uri="train.ipynb",
        runtime_environment_name="base",
        output_formats=["html"],
        name="train",
        parameters={"alpha": "0.1"},
        **nightly,
    )
)


def change(what, **fields):
    environment = {"runtime_environment_name": None, "runtime_environment_parameters": None}
    scheduler.update_job_definition(definition, UpdateJobDefinition(**environment, **fields))
    stored = scheduler.get_job_definition(definition)
    print(f"{what}: {stored.name}, {stored.parameters}")


change("with the same schedule", name="train 2", parameters={"alpha": "0.2"}, **nightly)
change("without a schedule", name="train 3", parameters={"alpha": "0.3"})
later = {**nightly, "schedule": "1 1 * * *"}
change("with another schedule", name="train 4", parameters={"alpha": "0.4"}, **later)
PYTHON
seen="$("$work/venv/bin/python" "$work/definitions.py" "$work" 2>"$work/errors" | grep ":")" || {
  cat "$work/errors"
  exit 1
}

echo "jupyter_scheduler 2.12.1: a name and a parameter are changed three times"
echo "Expected: train 2 with 0.2, train 3 with 0.3, train 4 with 0.4."
echo "Seen:"
echo "$seen"
wanted="with the same schedule: train, {'alpha': '0.1'}
without a schedule: train 3, {'alpha': '0.3'}
with another schedule: train 4, {'alpha': '0.4'}"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
