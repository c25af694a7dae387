#!/usr/bin/env bash
# nbgitpuller 1.3.0: a link to a tag works once
#
# Expected: the link's branch parameter may name a tag: before it pulls, GitPuller
#   looks the name up among the heads and the tags of the repository, and takes
#   both. The documentation promises that a link can be opened again and again:
#   the first time clones, later times bring what is new.
# Seen: the first pull clones the tag. Each later pull compares with origin/<tag>,
#   which git never makes, and fails with CalledProcessError of git diff, also
#   when nothing has changed. A branch works every time.
# Why it matters: teachers give a tag to pin their material. On the first day
#   everything works, on the second nobody who was there gets in. Make a branch
#   at the tag for the link.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  nbgitpuller==1.3.0 jupyter-server==2.21.1 tornado==6.6.1 traitlets==5.16.1

export HOME="$work" GIT_CONFIG_NOSYSTEM=1
git init --quiet --initial-branch=main "$work/course"
echo "first lesson" >"$work/course/lesson.txt"
git -C "$work/course" add lesson.txt
git -C "$work/course" -c user.name=Teacher -c user.email=teacher@example.org commit --quiet --message="First lesson"
git -C "$work/course" tag autumn

pull() {
  if timeout 60 "$work/venv/bin/gitpuller" "file://$work/course" "$1" "$work/home-$1" >"$work/log" 2>&1; then
    echo "$1: pulled"
  else
    echo "$1: $(tail -n 1 "$work/log")"
  fi
}
seen="$(pull main; pull main; pull autumn; pull autumn)"

echo "nbgitpuller 1.3.0, each link opened twice"
echo "Expected: pulled, four times."
echo "Seen:"
echo "$seen"
wanted="main: pulled
main: pulled
autumn: pulled
autumn: subprocess.CalledProcessError: Command '['git', 'diff', '..origin/autumn', '--name-status']' returned non-zero exit status 128."
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
