#!/usr/bin/env bash
# The Temporal CLI, which contains the development server: from PATH, else the official download, else built with Go.
. "$(dirname "$0")/common.sh"
VERSION=1.5.1
TARGET="$CACHE/temporal-$VERSION"

command -v temporal >/dev/null 2>&1 && exit 0
[ -x "$TARGET/temporal" ] && exit 0
lock_tool "$TARGET"
[ -x "$TARGET/temporal" ] && exit 0

download() {
  local machine arch
  machine="$(uname -m)"
  case "$machine" in
    x86_64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) return 1 ;;
  esac
  command -v curl >/dev/null 2>&1 || return 1
  # Gives up when there is no connection within 10 s, or when it stalls for 10 s.
  curl -fsSL --connect-timeout 10 --speed-time 10 --speed-limit 50000 -o "$SCRATCH/archive.tar.gz" \
    "https://temporal.download/cli/archive/v$VERSION?platform=linux&arch=$arch" 2>/dev/null || return 1
  mkdir -p "$SCRATCH/download"
  tar -xzf "$SCRATCH/archive.tar.gz" -C "$SCRATCH/download" temporal 2>/dev/null || return 1
  "$SCRATCH/download/temporal" --version >/dev/null 2>&1
}

if download; then
  publish_tool "$SCRATCH/download" "$TARGET"
elif command -v go >/dev/null 2>&1; then
  go_build "github.com/temporalio/cli/cmd/temporal@v$VERSION" "$SCRATCH/build"
  publish_tool "$SCRATCH/build" "$TARGET"
else
  unavailable "Temporal: no temporal program is on PATH, its download (https://temporal.download) did not answer and Go is not installed; nothing can start until one of the three is there."
fi
