#!/bin/sh
# Starts `gosling runner`, or what ROLE says, in a session of its own, so that it outlives OpenTofu. A process that is there already, from a
# run that was cut off, is kept.
set -eu
. "$MODULE/process.sh"

if find_process; then
  exit 0
fi
command -v "$GOSLING" >/dev/null || {
  printf 'there is no program %s\n' "$GOSLING" >&2
  exit 1
}

GOSLING_FOLDER=$FOLDER
export GOSLING_FOLDER
role=${ROLE-runner}
cd -- "$FOLDER"
setsid "$GOSLING" "$role" --config "$FOLDER/$role.json" </dev/null >>"$FOLDER/gosling.log" 2>&1 &
pid=$!
since=$(started "$pid")
if [ -z "$since" ]; then
  printf 'gosling ended at once; see %s\n' "$FOLDER/gosling.log" >&2
  exit 1
fi
printf '%s\n%s\n' "$pid" "$since" >"$pid_file.new"
mv -f -- "$pid_file.new" "$pid_file"
