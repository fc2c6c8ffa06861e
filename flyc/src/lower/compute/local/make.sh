#!/bin/sh
# Makes the runner's folder. Safe to run again.
set -eu

umask 077
mkdir -p -- "$FOLDER"
printf '%s\n' "$RUNNER_CONFIG" >"$FOLDER/runner.json"
printf '%s\n' "$EGG_CONFIG" >"$FOLDER/egg.json"
if [ -n "$TICKET" ]; then
  printf '%s\n' "$TICKET" >"$FOLDER/ticket"
fi
