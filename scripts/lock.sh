#!/bin/sh
# Writes the lock files for all platforms from pyproject.toml. Versions stay as they are unless told: make lock ARGS=--upgrade
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "Locking needs uv: pip install uv" >&2; exit 1; }

compile() {
  out=requirements/$1.txt
  shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' -o "$out" "$@"
}

# dev first: the others take its versions, so that dev.txt can be installed on top of run.txt.
compile dev pyproject.toml --group dev -c requirements/platforms.in "$@"
compile run pyproject.toml -c requirements/dev.txt
compile build --group build -c requirements/dev.txt

! grep -nE '://|^-|file:' requirements/*.txt || { echo "A lock file names a place; it must not." >&2; exit 1; }
