#!/bin/sh
# Writes what a Rift server is told into its folder. Safe to run again.
set -eu

umask 077
printf '%s\n' "$RIFT_CONFIG" >"$FOLDER/rift.json"
printf '%s\n' "$SERVER_CONFIG" >"$FOLDER/server.json"
if [ -n "$TICKET" ]; then
  printf '%s\n' "$TICKET" >"$FOLDER/ticket"
fi
