#!/bin/sh
# Makes .venv where there is none, then installs one lock and the project into it.
#   sh tools/install.sh base|demo|dev          PYTHON=… names the Python to begin with.
set -eu
lock="requirements/$1.txt"
venv=.venv

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed, and none was found. Install one, or name it: make PYTHON=/path/to/python3.11 …" >&2
    exit 1
}

# A .venv that was left half made, or made by a Python that is gone, is made again.
if ! new_enough "$venv/bin/python"; then
    python=$(find_python)
    echo "Making $venv with $("$python" -V)"
    if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv --clear "$venv"
    else # Debian and Ubuntu leave ensurepip out unless python3-venv is installed
        "$python" -m venv --clear --without-pip "$venv"
    fi
fi

if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip() { "$venv/bin/python" -m pip "$@"; }
else
    python=$(find_python)
    if ! "$python" -m pip --version >/dev/null 2>&1; then
        echo "No pip was found for $python. Install python3-pip or python3-venv, then try again." >&2
        exit 1
    fi
    pip() { "$python" -m pip --python "$venv/bin/python" "$@"; }
fi

echo "Installing $lock"
pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$lock"
# Twice quiet: a folder that holds the packages it installs is what setuptools warns of, and what is meant here.
pip install --quiet --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
