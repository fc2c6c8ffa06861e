#!/bin/sh
# Stops the process: SIGTERM, so that it finishes its job; when the time is over, SIGKILL to all it has started.
set -eu
. "$MODULE/process.sh"

if find_process; then
  kill -TERM "$pid" 2>/dev/null || true
  tenths=$((STOP_TIMEOUT * 10))
  while [ "$tenths" -gt 0 ] && find_process; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  if find_process; then
    printf 'gosling did not stop within %s s and is killed\n' "$STOP_TIMEOUT" >&2
    kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  fi
fi
rm -f -- "$pid_file"
