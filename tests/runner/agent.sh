#!/bin/sh
# Stands in for gitlab-runner: takes the job whose number stands in the file `job`, works until the file `end-NUMBER` is
# there, and heeds the same signals, from when it has set itself up. It misses one signal to quit when the file `deaf` is there.
if [ "$1" = --version ]; then
  printf 'Version:      17.8.3\nGit revision: 690ce25c\n'
  exit 0
fi
level= format=
while [ $# -gt 0 ]; do
  case $1 in
  --log-level) level=$2 ;;
  --log-format) format=$2 ;;
  --working-directory) folder=$2 ;;
  --config) config=$2 ;;
  esac
  shift
done
say() { printf '{"job":%s,"level":"info","msg":"%s","time":"2026-11-21T10:00:00Z"}\n' "$2" "$1"; }
# What isn't said can't be read.
if [ "$level $format" != 'info json' ]; then
  echo 'FATAL: the log would be another one'
  exit 1
fi
load() {
  touch "$folder/read"
  say 'Configuration loaded' null
  # What a careless agent might say.
  grep -e token -e VALUE "$config" | while read -r line; do printf 'WARNING: careless %s\n' "$line"; done
}
stop() {
  if [ -e "$folder/deaf" ]; then
    rm "$folder/deaf"
  else
    say '[runWait] received stop signal' null
    quit=1
  fi
}
quit= term= job=
echo x >>"$folder/starts"
env >"$folder/environment"
load
# Until here any of these ends it.
sleep 0.3
trap stop QUIT
trap 'term=1' TERM
trap load HUP
say 'Initializing executor providers' null
round=0
while :; do
  round=$((round + 1))
  # The real one looks every three seconds.
  if [ $((round % 50)) -eq 0 ] && [ "$config" -nt "$folder/read" ]; then
    load
  fi
  if [ -n "$term" ]; then
    if [ -n "$job" ]; then
      printf 'WARNING: Job failed (system failure): aborted: terminated  job=%s project=1\n' "$job" >&2
      kill "$stray" 2>/dev/null
      : >"$folder/aborted-$job"
    fi
    exit 0
  fi
  if [ -n "$job" ]; then
    if [ -e "$folder/end-$job" ]; then
      kill "$stray" 2>/dev/null
      # GitLab is told last, which may take its time.
      if [ -z "$ended" ]; then
        say 'Job succeeded' "$job"
        ended=1
      fi
      if [ ! -e "$folder/untold-$job" ]; then
        say 'Removed job from processing list' "$job"
        job=
      fi
    fi
  elif [ -n "$quit" ]; then
    exit 0
  elif [ -e "$folder/job" ]; then
    job=$(cat "$folder/job")
    rm "$folder/job"
    say 'Checking for jobs... received' "$job"
    if [ -e "$folder/odd-$job" ]; then
      # A job that can't be worked on is told of no more.
      job=
      continue
    fi
    ended=
    setsid sleep 1000 >/dev/null 2>&1 &
    stray=$!
    echo "$stray" >"$folder/stray"
    say 'Added job to processing list' "$job"
  fi
  sleep 0.02
done
