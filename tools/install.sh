#!/bin/sh
# Create .venv if there is none, then install the packages of a lock file and the project into it. This uses uv if it is
# installed, and pip if it isn't or if uv fails. No bytecode is compiled, because only a fifth of it would ever be used.
#   sh tools/install.sh base|demo|lint|dev     PYTHON=… selects the Python that creates .venv; UV= uses pip.
#   sh tools/install.sh hub-5 FOLDER           installs only that lock file, without the project, into FOLDER.
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

# If .venv is incomplete, or if the Python that created it no longer exists, create it again. Leave out pip, which takes
# most of the time, if uv or the system's pip can install the packages.
if ! new_enough "$venv/bin/python"; then
    python=$(find_python)
    echo "Making $venv with $("$python" -V)"
    if command -v "$uv" >/dev/null || "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv"
    elif "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv --clear "$venv"
    else # Debian and Ubuntu have pip and venv in separate packages.
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
    # --quiet is given twice, because setuptools warns that the folder contains the packages that it installs. That is
    # intended here.
    pip install --quiet --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
}

echo "Installing $lock"
if ! with_uv; then
    with_pip
fi
