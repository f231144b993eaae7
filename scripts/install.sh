#!/bin/sh
# Fills .venv with the packages of requirements-run.lock or requirements-dev.lock: install.sh run, or install.sh dev.
#
# Installs with uv where it works, else with venv and pip; both check the hashes. In .venv we keep `made-in`, the folder
# for which we made it; `install.log`; and a copy of each lock file whose packages are all there. No Python is needed to
# come this far, so that we can say how to get one.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
lock=requirements-$1.lock
log=.venv/install.log
# uv would otherwise trust only the certificates that it brings, not those of this machine.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"

main() {
  if starts && holds "$1"; then exit 0; fi
  began=$(date +%s)
  case $1 in
    run) say "Installing what Frontdoor needs to run: about half a minute …" && check_folder 300 ;;
    dev) say "Installing what tests and checks need: a minute or two …" && check_folder 900 ;;
  esac
  # Only `dev` adds, to what `run` has installed. Anything else begins afresh: packages of an older lock would stay, and
  # an interrupted start may have left halves.
  if ! starts || ! holds run || [ -e .venv/requirements-dev.lock ]; then begin_afresh; fi
  rm -f .venv/requirements-*.lock
  : >$log
  python=$(find_python)
  with_uv || with_pip || explain
  cp requirements-run.lock .venv/ # all of it is in the other, too
  [ "$1" = run ] || cp "$lock" .venv/
  say "Installed in $(($(date +%s) - began)) s."
}

starts() { # not if it was copied or moved here, or if its Python is gone
  [ "$(cat .venv/made-in 2>/dev/null)" = "$here" ] && .venv/bin/python -c '' 2>/dev/null
}

holds() {
  cmp -s "requirements-$1.lock" ".venv/requirements-$1.lock"
}

check_folder() { # $1: megabytes
  for folder in "$here" "$here/.venv"; do
    [ ! -e "$folder" ] || [ -w "$folder" ] ||
      fail "You may not write to $folder. Make the folder yours, or clone to another place."
  done
  free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge "$1" ] || fail "The disk of $here has only $free MB left, and this needs $1 MB. Free some space and start again."
}

begin_afresh() {
  [ ! -L .venv ] || fail "The folder .venv is a link, and what it leads to may be of use elsewhere. Delete the link: rm .venv"
  mkdir -p .venv
  # What is no virtual environment somebody may need; one, made by hand or by another tool, is meant for us.
  if [ ! -e .venv/made-in ] && [ ! -e .venv/pyvenv.cfg ] && [ -n "$(ls -A .venv)" ]; then
    fail "There is a folder .venv that is no virtual environment. Move it away if you need it, or delete it with: make clean"
  fi
  echo "$here" >.venv/made-in # stays until the end, so that we know what an interrupted start has left
  find .venv/ -mindepth 1 ! -path .venv/made-in -delete
}

with_uv() {
  uv --version >/dev/null 2>&1 &&
    watch uv venv --allow-existing --no-project --python "${python:->=3.12}" .venv &&
    watch uv pip install --python .venv/bin/python --require-hashes -r "$lock"
}

with_pip() {
  if [ -z "$python" ]; then
    [ ! -s $log ] || return 1 # uv could not fetch one, and has said why
    [ -z "${PYTHON:-}" ] || fail "PYTHON=$PYTHON is not Python 3.12 or newer."
    fail "Python 3.12 or newer is needed, and there is none here. Debian 13 and Ubuntu 24.04 bring it with" \
      "\`sudo apt install python3-venv\`, macOS with \`brew install python\`; anywhere else install uv, which fetches one."
  fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python lacks the module venv. Debian and Ubuntu bring it with \`sudo apt install python3-venv\`; then start again."
  [ ! -t 1 ] || printf '  making .venv …' # which says nothing, and takes some seconds
  # Without compiling all: the first start compiles what it uses, which takes less time.
  watch "$python" -m venv .venv &&
    watch .venv/bin/python -m pip install --disable-pip-version-check --no-compile --require-hashes --progress-bar off -r "$lock"
}

# Prints the first Python that really starts, of PYTHON=..., the names on PATH and pyenv's own folders: a pyenv shim may
# be on PATH and still answer "command not found". Inside a virtual environment, the Python that it was made from,
# because ours is made afresh.
find_python() {
  shim=$(command -v python3 || true)
  pyenv=${PYENV_ROOT:-${HOME:-}/.pyenv}
  case $shim in */shims/python3) pyenv=${shim%/shims/python3} ;; esac
  if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
  else
    set -- python3.13 python3.14 python3.12 python3 python
    set -- "$@" "$pyenv"/versions/3.13.*/bin/python3 "$pyenv"/versions/3.14.*/bin/python3 "$pyenv"/versions/3.12.*/bin/python3
  fi
  for candidate; do
    "$candidate" -c 'import sys; sys.version_info >= (3, 12) or sys.exit(1); print(sys._base_executable)' 2>/dev/null && return
  done
  true
}

# Runs a program, keeps what it says in the log, and shows how far it is.
watch() {
  rm -f .venv/worked
  { "$@" 2>&1 && : >.venv/worked; } | while IFS= read -r line; do
    printf '%s\n' "$line" >>$log
    show "$line"
  done
  [ ! -t 1 ] || printf '\r\033[K'
  rm .venv/worked 2>/dev/null
}

count=0
total=$(grep '==' "$lock" | grep -vc win32)
show() { # on a terminal in one line, which is written over
  case $1 in
    'Collecting '* | 'Processing '* | 'Requirement already satisfied: '*) # pip, one line for each package
      count=$((count + 1))
      progress="$count of $total packages"
      [ -t 1 ] || [ $((count % 10)) = 0 ] || return 0
      ;;
    'Installing collected '*) progress="unpacking them" ;;
    'Downloading '* | 'Prepared '*) progress=$1 ;; # uv
    *'Retrying ('*) progress="no answer from the network, trying again" ;;
    *) return 0 ;;
  esac
  if [ -t 1 ]; then printf '\r\033[K  %s …' "$progress"; else say "  $progress …"; fi
}

# Ends with one sentence about what went wrong, by what uv or pip have said.
explain() {
  if grep -qi 'no space left\|disk quota' $log; then
    fail "The disk is full. Free some space, where \`df -h .\` and \`df -h ${TMPDIR:-/tmp}\` show none, and start again."
  elif grep -qi 'permission denied\|read-only file' $log; then
    fail "$(grep -i 'permission denied\|read-only file' $log | tail -1). Make that yours, or clone to another place."
  elif grep -q 'DO NOT MATCH THE HASHES\|Hash mismatch' $log; then
    fail "A package is not the one that $lock names, so nothing of it was installed. Ask whoever runs your mirror of packages."
  elif grep -qi 'retrying (\|timed out\|dns error\|error sending request\|ssl' $log; then
    fail "The packages could not be fetched. Check the network (behind a proxy set HTTPS_PROXY, for a mirror" \
      "PIP_INDEX_URL or UV_DEFAULT_INDEX) and start again; what was fetched is kept."
  fi
  fail "The packages could not be installed: $(tail -1 $log) (all of it in $log)"
}

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

main "$1"
