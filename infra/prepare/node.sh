#!/usr/bin/env bash
# The npm packages and the compiled program, each only where what is there is stale.
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/../.."

command -v npm >/dev/null 2>&1 || unavailable "Node: npm is not installed. Install Node 20.19 or newer."
exec 9>"${TMPDIR:-/tmp}/datalab-node-$(pwd | sha256sum | cut -c1-16).lock"
flock 9

if ! node infra/prepare/packages-current.mjs; then
  # Not `npm ci`: it refuses a lock file without the optional packages of other platforms, and those cannot be locked
  # where the registry does not carry them. This installs what is locked, by its hashes, and leaves the lock file alone.
  npm install --no-save --no-fund --no-audit >&2 9>&- || { say "npm install failed"; exit 1; }
fi

SOURCE="$(find src package.json tsconfig.json -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)"
if [ "$(cat dist/.stamp 2>/dev/null || true)" != "$SOURCE" ]; then
  npm run build >&2 9>&- || { say "npm run build failed"; exit 1; }
  printf '%s\n' "$SOURCE" >dist/.stamp
fi
