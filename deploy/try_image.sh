#!/usr/bin/env bash
# Shows without a container engine that the image of the Dockerfile builds, and that the site in it answers.
#
# On Debian, as root: deploy/try_image.sh
# It uses DATABASE_URL and REDIS_URL if they are set, otherwise servers of embedded/ that it starts. Everything listens
# on 127.0.0.1. The base image and the build cache stay in $TRY_IMAGE_CACHE (~/.cache/frontdoor-image).
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${TRY_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/frontdoor-image}
SUITE=trixie # its python3 is 3.13, as in the Dockerfile
BASE=localhost/frontdoor-base:$SUITE
IMAGE=localhost/frontdoor:try
LONG=900 # seconds for one step of building
SHORT=60 # seconds for one step of running

main() {
  [ "$(id -u)" = 0 ] || fail "run it as root: debootstrap and chroot need that."
  prepare
  install_tools
  have_base || step "Base image $BASE" build_base
  step "Image from the Dockerfile" build_image
  open_image
  step "PostgreSQL and Valkey" start_servers
  configure
  step "Migrations" in_container python manage.py migrate --noinput --verbosity 0
  step "Web server" start_web
  step "Checks" check_site
  step "Mail worker" in_container python manage.py deliver_mail --once
  step "Stopping the web server" stop_web
  echo "The image builds and answers."
}

prepare() {
  mkdir -p "$CACHE"
  chmod 700 "$CACHE"
  exec {LOCK}>"$CACHE/lock"
  flock -n "$LOCK" || fail "another run uses $CACHE."
  WORK=$CACHE/work
  rm -rf --one-file-system "$WORK" # a killed run leaves this folder behind
  mkdir "$WORK"
  STORE=(--root "$CACHE/store" --runroot "$WORK/run")
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
}

# Building

install_tools() {
  local tool missing=()
  for tool in buildah debootstrap curl; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} = 0 ] || step "Installing ${missing[*]}" apt_install "${missing[@]}"
}

apt_install() {
  bounded $LONG apt-get update -qq
  DEBIAN_FRONTEND=noninteractive bounded $LONG apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

have_base() {
  buildah "${STORE[@]}" inspect --type image "$BASE" >/dev/null 2>&1
}

build_base() {
  local packages=ca-certificates,python3,python3-venv mirror container
  mirror=$(debian_mirror)
  bounded $LONG debootstrap --variant=minbase --include=$packages $SUITE "$WORK/rootfs" "$mirror" >"$WORK/log"
  container=$(buildah "${STORE[@]}" from scratch)
  buildah "${STORE[@]}" add --quiet "$container" "$WORK/rootfs" / >/dev/null
  buildah "${STORE[@]}" commit --quiet --rm "$container" "$BASE" >/dev/null
  rm -rf "$WORK/rootfs" "$WORK/log"
}

# Prints the mirror that this machine's apt uses.
debian_mirror() {
  local mirror
  # shellcheck disable=SC2016 # apt fills it in
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
  [ -n "$mirror" ] || fail "apt knows no Debian mirror: run apt-get update."
  echo "$mirror"
}

build_image() {
  local -a options=(--isolation chroot --network host --pull-never --format docker --layers --build-arg "BASE=$BASE")
  mapfile -t -O ${#options[@]} options < <(host_trust)
  bounded $LONG buildah "${STORE[@]}" bud "${options[@]}" --tag "$IMAGE" "$REPO" >"$WORK/log" 2>&1
  rm "$WORK/log"
}

# If this machine needs a certificate or a pip.conf of its own to reach packages, the pip of the build needs it too.
host_trust() {
  local bundle=${PIP_CERT:-${SSL_CERT_FILE:-}} config
  [ ! -f "$bundle" ] || echo "--volume=$(realpath "$bundle"):/etc/ssl/certs/ca-certificates.crt:ro"
  for config in "${PIP_CONFIG_FILE:-}" "$HOME/.config/pip/pip.conf" /etc/pip.conf; do
    [ ! -f "$config" ] || { echo "--secret=id=pip.conf,src=$config" && break; }
  done
}

# Running

open_image() {
  buildah "${STORE[@]}" rm --all >/dev/null # containers that a killed run has left
  CONTAINER=$(buildah "${STORE[@]}" from --pull-never "$IMAGE")
  ROOT=$(buildah "${STORE[@]}" mount "$CONTAINER")
  mapfile -t COMMAND < <(image_lines .OCIv1.Config.Cmd)
  mapfile -t HEALTHCHECK < <(image_lines .Docker.Config.Healthcheck.Test)
  enter_with
  echo "  $(du -sm "$ROOT" | cut -f1) MB; $(in_container du -sm /opt/venv . | tr '\n\t' '  ')"
  echo "  $(in_container ls | tr '\n' ' ')"
  echo "  runs \`${COMMAND[*]}\` as $(in_container id)"
}

image_config() {
  buildah "${STORE[@]}" inspect --type image --format "{{$1}}" "$IMAGE"
}

image_lines() {
  image_config "range $1}}{{println .}}{{end" | sed '/^$/d'
}

# Sets up in_container. Its commands get the image's user, folder and environment, a read-only root with a /tmp, and
# a process namespace of their own, all of whose processes end with this script.
enter_with() {
  local -a environment
  mapfile -t environment < <(image_lines .OCIv1.Config.Env)
  ENTRY=(
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child -- bash -euc "$ENTER" enter
    "$ROOT" "$(image_config .OCIv1.Config.User)" "$(image_config .OCIv1.Config.WorkingDir)" "${environment[@]}" "$@"
  )
}

# shellcheck disable=SC2016 # its own shell expands it
ENTER='
  root=$1 user=$2 folder=$3
  shift 3
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  # The kernel forgets the parent-death signal at a change of user, so it is set again.
  exec chroot --userspec="$user" --groups= "$root" setpriv --pdeathsig KILL env -i --chdir="$folder" "$@"
'

in_container() {
  "${ENTRY[@]}" "$@"
}

start_servers() {
  [ -z "${DATABASE_URL:-}" ] || [ -z "${REDIS_URL:-}" ] || return 0
  make --silent --directory "$REPO" .venv/.ready
  coproc SERVERS { run_servers; }
  SERVERS_INPUT=${SERVERS[1]}
  read -r -t $SHORT -u "${SERVERS[0]}" DATABASE_URL REDIS_URL || fail "the embedded servers do not start."
}

# Prints the URLs and keeps the servers until its input is closed, at the latest when this script ends.
run_servers() {
  cd "$REPO"
  exec .venv/bin/python -c '
import os, sys
import embedded
with embedded.throwaway(os.environ):
    print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
    sys.stdin.read()
'
}

configure() {
  local port
  port=$(in_container python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  SITE=http://127.0.0.1:$port
  enter_with "DATABASE_URL=$DATABASE_URL" "REDIS_URL=$REDIS_URL" "SITE_URL=$SITE" "BIND=127.0.0.1:$port" \
    "SECRET_KEY=$(head -c 48 /dev/urandom | base64 -w0)"
}

start_web() {
  "${ENTRY[@]}" "${COMMAND[@]}" >"$WORK/log" 2>&1 &
  WEB=$!
  within $SHORT healthy || fail "the web server does not answer."
}

healthy() {
  kill -0 "$WEB" || fail "the web server has ended."
  curl --silent --fail --output /dev/null --max-time 5 "$SITE/healthz"
}

check_site() {
  local css
  expect /healthz '^ok$'
  expect /readyz '"database": true, "cache": true, "mail": true'
  expect / '<form'
  css=$(grep -o '/static/[^"]*\.css' "$WORK/page" | sed -n 1p)
  [[ $css =~ \.[0-9a-f]{12}\.css$ ]] || fail "the stylesheet has no hashed name: $css"
  expect "$css" '{'
  in_container "${HEALTHCHECK[@]:1}"
  echo "  health check of the image: passes"
  ! in_container touch new 2>/dev/null || fail "the root is not read-only."
  echo "  root: read-only"
}

expect() {
  local status
  status=$(curl --silent --show-error --max-time 10 --output "$WORK/page" --write-out '%{http_code}' "$SITE$1")
  echo "  GET $1: $status, $(wc -c <"$WORK/page") bytes"
  [ "$status" = 200 ] || fail "GET $1 answers $status."
  grep -q -- "$2" "$WORK/page" || fail "GET $1 does not hold $2."
}

# As a container engine does it: sends SIGTERM to the first process, which must end by itself.
stop_web() {
  pkill -TERM -P "$WEB"
  within $SHORT ended || fail "the web server does not stop by itself."
  wait "$WEB" || fail "the web server ends with $?."
  unset WEB
}

ended() {
  ! kill -0 "$WEB" 2>/dev/null
}

# The end

clean_up() {
  local status=$?
  set +e
  trap '' INT TERM HUP
  [ $status = 0 ] || [ ! -s "$WORK/log" ] || tail -n 30 "$WORK/log" >&2
  [ -z "${WEB:-}" ] || kill -KILL "$WEB"
  [ -z "${SERVERS_INPUT:-}" ] || exec {SERVERS_INPUT}>&-
  wait
  [ -z "${CONTAINER:-}" ] || buildah "${STORE[@]}" rm "$CONTAINER" >/dev/null
  rm -rf --one-file-system "$WORK"
  exit $status
}

# Words

step() {
  local name=$1 started=$SECONDS
  shift
  echo "$name"
  "$@"
  echo "  $((SECONDS - started)) s"
}

bounded() {
  timeout --foreground --kill-after=10 "$@"
}

within() {
  local end=$((SECONDS + $1))
  until "$2"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

fail() {
  echo "try_image: $1" >&2
  exit 1
}

main
