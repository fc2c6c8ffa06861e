#!/bin/sh
# Stands in for gitlab-runner: takes the job whose number stands in the file `job`, works until the file `end-NUMBER` is
# there, and heeds the same signals.
if [ "$1" = --version ]; then
  printf 'Version:      17.8.3\nGit revision: 690ce25c\n'
  exit 0
fi
while [ $# -gt 0 ]; do
  case $1 in
  --working-directory) folder=$2 ;;
  --config) config=$2 ;;
  esac
  shift
done
say() { printf '{"job":%s,"level":"info","msg":"%s","time":"2026-11-21T10:00:00Z"}\n' "$2" "$1"; }
load() {
  say 'Configuration loaded' null
  # What a careless agent might say.
  grep -e token -e VALUE "$config" | while read -r line; do printf 'WARNING: careless %s\n' "$line"; done
}
quit= term= job=
trap 'quit=1' QUIT
trap 'term=1' TERM
trap load HUP
echo x >>"$folder/starts"
env >"$folder/environment"
load
while :; do
  if [ -n "$term" ]; then
    if [ -n "$job" ]; then
      printf 'WARNING: Job failed: aborted  job=%s project=1\n' "$job" >&2
      kill "$stray" 2>/dev/null
      : >"$folder/aborted-$job"
    fi
    exit 0
  fi
  if [ -n "$job" ]; then
    if [ -e "$folder/end-$job" ]; then
      kill "$stray" 2>/dev/null
      say 'Job succeeded' "$job"
      say 'Removed job from processing list' "$job"
      job=
    fi
  elif [ -n "$quit" ]; then
    exit 0
  elif [ -e "$folder/job" ]; then
    job=$(cat "$folder/job")
    rm "$folder/job"
    setsid sleep 1000 >/dev/null 2>&1 &
    stray=$!
    echo "$stray" >"$folder/stray"
    say 'Checking for jobs... received' "$job"
    say 'Added job to processing list' "$job"
  fi
  sleep 0.02
done
