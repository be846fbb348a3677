#!/bin/sh
# Makes .venv from a lock file, with this project in it; at once done if that has been done.
#   sh scripts/venv.sh run|dev      run: what `make demo` and `make up` need; dev: that and what `make test` needs
#   PYTHON=/path/to/python          this interpreter and no other
set -eu
cd "$(dirname "$0")/.."
lock=requirements/$1.txt
log=.venv/install.log
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_RETRIES="${PIP_RETRIES:-2}"

say() { printf '%s\n' "$@" >&2; }

# What .venv/.run and .venv/.dev hold: a changed lock, a changed project or a moved tree makes another one.
stamp() { cat pyproject.toml requirements/build.txt "requirements/$1.txt" | cksum; pwd -P; }

ready() {
  .venv/bin/python -c '' 2>/dev/null && [ "$(cat ".venv/.$1" 2>/dev/null)" = "$(stamp "$1")" ] || return 1
  [ -z "${PYTHON:-}" ] || [ "$(cat .venv/.python)" = "$PYTHON" ]
}

# Sets `python` to the first Python that will do; `incomplete` to the version of one that only lacks its venv module.
find_python() {
  python='' incomplete=''
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"
  else set -- python3.14 python3.13 python3.12 python3.11 python3 python; fi
  for name; do
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    python=$name
    if [ -n "$uv" ] || "$name" -c 'import venv, ensurepip' 2>/dev/null; then return; fi
    python='' incomplete=${incomplete:-$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}
  done
}

# The one line that brings a Python with its venv module to this system.
remedy() {
  sudo='sudo '
  [ "$(id -u)" != 0 ] || sudo=''
  if command -v apt-get >/dev/null; then
    for version in $incomplete 3.14 3.13 3.12 3.11; do
      if apt-cache show "python$version-venv" >/dev/null 2>&1; then
        echo "${sudo}apt-get install -y python$version-venv"
        return
      fi
    done
    apt-cache show python3 >/dev/null 2>&1 || { echo "${sudo}apt-get update && ${sudo}apt-get install -y python3-venv"; return; }
  elif command -v dnf >/dev/null; then echo "${sudo}dnf install -y python3.12"; return
  elif command -v zypper >/dev/null; then echo "${sudo}zypper install -y python312"; return
  elif command -v pacman >/dev/null; then echo "${sudo}pacman -S --needed python"; return
  elif command -v apk >/dev/null; then echo "${sudo}apk add python3"; return
  elif command -v brew >/dev/null; then echo "brew install python@3.13"; return
  fi
  echo "curl -LsSf https://astral.sh/uv/install.sh | sh      (uv brings a Python along)"
}

no_python() {
  if [ -n "${PYTHON:-}" ]; then
    say "PYTHON=$PYTHON is not Python 3.11 or newer with its venv and ensurepip modules."
    exit 1
  elif [ -n "$incomplete" ]; then say "Python $incomplete is here, but its venv module is not. This helps:"
  else say "Outrider needs Python 3.11 or newer, and none was found. This helps:"; fi
  say "" "    $(remedy)" ""
  exit 1
}

make_venv() {
  find_python
  rm -rf .venv
  if [ -n "$uv" ]; then
    say "Making .venv with uv ..."
    "$uv" venv --quiet --no-project --python "${python:->=3.11}" .venv || no_python
  elif [ -n "$python" ]; then
    say "Making .venv with $("$python" --version) ..."
    "$python" -m venv .venv >/dev/null || no_python
  else
    no_python
  fi
  printf '%s\n' "${PYTHON:-}" >.venv/.python
}

install() {
  if [ -n "$uv" ]; then "$uv" pip install --python .venv/bin/python --no-build-isolation "$@"
  else .venv/bin/python -m pip install --no-build-isolation "$@"; fi >>"$log" 2>&1
}

# Build tools come from a lock too, and so come first: nothing is fetched that no hash names.
install_all() {
  install --require-hashes -r requirements/build.txt &&
    install --require-hashes -r "$lock" &&
    install --no-index --no-deps -e .
}

failed() {
  say "" "The installation failed:" ""
  grep -iE '^ *(error|cause)' "$log" | tail -n 4 | cut -c1-300 | sed 's/^ */    /' >&2
  say "" "What to check:" \
    "  - Is there a network? Behind a proxy, HTTPS_PROXY must be set; an index of your own: PIP_INDEX_URL (with uv: UV_DEFAULT_INDEX)." \
    "  - Does the proxy have a certificate of its own? Then PIP_CERT (with uv: SSL_CERT_FILE) names the file." \
    "  - Is this Linux (glibc 2.28 or musl 1.2, or newer) or macOS 13 or newer, and Python 3.11 to 3.14? Others have to build packages." \
    "  - The whole log is in $log. Once mended, the same command goes on."
  exit 1
}

ready "$1" && exit
uv=$(command -v uv) || uv=''
if [ -n "$uv" ]; then # it insists on a cache that it can write; where the home cannot be written it does without
  cache=$("$uv" cache dir)
  mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || export UV_NO_CACHE=1
fi

[ "$1" = dev ] && ready run || make_venv
say "Installing $(grep -c == "$lock") locked packages, the first time only ..."
# uv trusts its own list of certificates; where the machine's own is needed it is asked for that one.
install_all || { grep -q UnknownIssuer "$log" && export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 && install_all; } || failed
stamp run >.venv/.run
[ "$1" != dev ] || stamp dev >.venv/.dev
