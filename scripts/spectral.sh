#!/bin/sh
# Installs Spectral, which tests/gateway/lint/test_as_spectral.py compares our rule engine with, into .venv/spectral.
# At once done if that has been done. Without Node and npm nothing is installed, and that test is skipped.
set -eu
cd "$(dirname "$0")/.."
from=tests/gateway/lint/spectral
into=.venv/spectral
log=.venv/spectral.log

command -v node >/dev/null && command -v npm >/dev/null || exit 0
stamp=$(cat "$from/package.json" "$from/package-lock.json" | cksum)
[ "$(cat "$into/.installed" 2>/dev/null)" != "$stamp" ] || exit 0

echo "Installing Spectral, the first time only ..." >&2
rm -rf "$into"
mkdir -p "$into"
cp "$from/package.json" "$from/package-lock.json" "$into"
if (cd "$into" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1; then
  printf '%s' "$stamp" >"$into/.installed"
else
  rm -rf "$into"
  echo "Spectral could not be installed ($log says why); the comparison with it is skipped." >&2
fi
