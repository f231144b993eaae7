#!/bin/sh
# Makes the database and its two roles, when PostgreSQL of compose.yaml starts for the first time. Neither role is a
# superuser: frontdoor_owner, for migrations alone, owns the tables; frontdoor reads and writes their rows.
set -eu

SECRETS=${SECRETS:-/run/secrets}
export OWNER_PASSWORD SITE_PASSWORD
OWNER_PASSWORD=$(cat "$SECRETS/database_owner_password")
SITE_PASSWORD=$(cat "$SECRETS/database_password")

psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv site_password SITE_PASSWORD
CREATE ROLE frontdoor_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE frontdoor LOGIN PASSWORD :'site_password';
CREATE DATABASE frontdoor OWNER frontdoor_owner;
REVOKE ALL ON DATABASE frontdoor FROM PUBLIC;
GRANT CONNECT ON DATABASE frontdoor TO frontdoor;
\connect frontdoor
ALTER DEFAULT PRIVILEGES FOR ROLE frontdoor_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO frontdoor;
ALTER DEFAULT PRIVILEGES FOR ROLE frontdoor_owner GRANT USAGE, SELECT ON SEQUENCES TO frontdoor;
SQL
