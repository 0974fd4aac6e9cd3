#!/usr/bin/env bash
# The S3 gateway (versitygw): from PATH, else built with Go.
. "$(dirname "$0")/common.sh"
VERSION=1.8.0
TARGET="$CACHE/versitygw-$VERSION"

command -v versitygw >/dev/null 2>&1 && exit 0
[ -x "$TARGET/versitygw" ] && exit 0
command -v go >/dev/null 2>&1 ||
  unavailable "S3 gateway: off, because Go is not installed to build it; the lake is a folder instead. Install Go 1.24 or newer, or put versitygw on PATH."
lock_tool "$TARGET"
[ -x "$TARGET/versitygw" ] && exit 0
go_build "github.com/versity/versitygw/cmd/versitygw@v$VERSION" "$SCRATCH/build"
publish_tool "$SCRATCH/build" "$TARGET"
