#!/bin/sh
# Makes the secrets of compose.yaml, each in a file of its own in the folder secrets/ beside it. Files that are there
# stay as they are: put your own addresses of servers into them, and run this again when a release needs another one.
set -eu

cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets

# Letters and digits only, as passwords stand in URLs.
random() {
  LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 64
}

# keep NAME TEXT: the container's user must be able to read the file; other users of this machine cannot open the folder.
keep() {
  [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
  chmod 644 "secrets/$1"
}

value() {
  cat "secrets/$1"
}

keep secret_key "$(random)"
keep encryption_key "$(random)"
keep postgres_password "$(random)"
keep database_owner_password "$(random)"
keep database_password "$(random)"
keep redis_password "$(random)"
keep rabbitmq_password "$(random)"

keep database_owner_url "postgres://frontdoor_owner:$(value database_owner_password)@postgres:5432/frontdoor"
keep database_url "postgres://frontdoor:$(value database_password)@postgres:5432/frontdoor"
keep redis_url "redis://:$(value redis_password)@redis:6379/0"
keep redis.conf "requirepass $(value redis_password)"
keep amqp_url "amqp://frontdoor:$(value rabbitmq_password)@rabbitmq:5672/"
keep rabbitmq.conf "default_user = frontdoor
default_pass = $(value rabbitmq_password)
default_user_tags.administrator = false
default_permissions.configure = ^frontdoor\\.
default_permissions.write = ^(frontdoor\\.|amq\\.default\$)
default_permissions.read = ^frontdoor\\."
keep email_url "smtp://mailpit:1025"
