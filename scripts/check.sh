#!/bin/sh
# Everything that a change must pass, the quick first. Goes on after a failure, so that one run shows all of them.
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
broken=''

step() {
  name=$1 start=$(date +%s)
  shift
  printf '\n--- %s: %s\n' "$name" "$*"
  "$@" && verdict=ok || { verdict=FAILED broken="$broken $name"; }
  printf -- '--- %s: %s, %s s\n' "$name" "$verdict" $(($(date +%s) - start))
}

step lint $bin/ruff check .
step format $bin/ruff format --check .
step types $bin/mypy
step imports $bin/lint-imports --no-logo
step spectral sh scripts/spectral.sh
step tests $bin/pytest "$@"

[ -z "$broken" ] || { printf '\nFailed:%s\n' "$broken"; exit 1; }
printf '\nAll passed.\n'
