#!/bin/sh
# Makes Temporal's two databases and brings their schemas up to date. Run in temporalio/admin-tools before the server
# starts; the password comes in SQL_PASSWORD. Repeating it changes nothing.
set -eu

tool() { temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p 5432 -u "$POSTGRES_USER" --db "$1" "$2" ${3:+"$3"} ${4:+"$4"}; }

for pair in temporal:temporal temporal_visibility:visibility; do
  database="${pair%%:*}"
  tool "$database" create
  # A schema that is there already is refused, which is as good.
  tool "$database" setup-schema -v 0.0 || true
  tool "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/${pair##*:}/versioned"
done
