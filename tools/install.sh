#!/bin/sh
# Makes .venv where there is none, then installs one lock and the project into it: with uv where that is there,
# otherwise, or where uv can't, with pip. Nothing is compiled: a fifth of it is ever imported.
#   sh tools/install.sh base|demo|lint|dev     PYTHON=… names the Python to begin with; UV= takes pip.
#   sh tools/install.sh hub-5 FOLDER           installs that lock alone, without the project, into FOLDER.
set -eu
lock="requirements/$1.txt"
venv="${2:-.venv}"
uv="${UV-uv}"

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed, and none was found. Install one, or name it: make PYTHON=/path/to/python3.11 …" >&2
    exit 1
}

if ! [ -w . ]; then
    echo "$(pwd) can't be written by $(id -un), so nothing can be installed here. Clone it to a folder of your own." >&2
    exit 1
fi

# A .venv that was left half made, or made by a Python that is gone, is made again. Without pip, which takes
# longest of it: the system's own installs as well.
if ! new_enough "$venv/bin/python"; then
    python=$(find_python)
    echo "Making $venv with $("$python" -V)"
    if command -v "$uv" >/dev/null || "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv"
    elif "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv --clear "$venv"
    else # Debian and Ubuntu have both in packages of their own
        echo "No uv, and no pip for $python. Install uv, python3-pip or python3-venv, then try again." >&2
        exit 1
    fi
fi

with_uv() {
    command -v "$uv" >/dev/null || return 1
    "$uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock" &&
        { [ "$venv" != .venv ] || "$uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e .; } ||
        { echo "uv can't install it from here; pip tries, with its own settings." >&2; return 1; }
}

with_pip() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        pip() { "$venv/bin/python" -m pip "$@"; }
    else
        python=$(find_python)
        pip() { "$python" -m pip --python "$venv/bin/python" "$@"; }
    fi
    pip install --quiet --disable-pip-version-check --no-input --no-deps --no-compile --require-hashes -r "$lock"
    [ "$venv" = .venv ] || return 0
    # Twice quiet: a folder that holds the packages it installs is what setuptools warns of, and what is meant here.
    pip install --quiet --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
}

echo "Installing $lock"
if ! with_uv; then
    with_pip
fi
