#!/usr/bin/env bash
# nbgitpuller 1.3.0: a link to a tag works only once
#
# Expected: The link's branch parameter may be the name of a tag: before it pulls,
#   GitPuller looks up the name among the heads and the tags of the repository, and
#   accepts both. The documentation promises that a link can be opened repeatedly: the
#   first time clones the repository, and later times fetch what is new.
# Seen: The first pull clones the tag. Every later pull compares with origin/<tag>,
#   which git never creates, and fails with CalledProcessError from git diff, even if
#   nothing has changed. A branch works every time.
# Why it matters: Teachers use a tag to pin their material. Everything works on the
#   first day, but on the second day, nobody who was there before gets in. For the link,
#   create a branch at the tag.
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
echo "Expected: all four links are pulled."
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
