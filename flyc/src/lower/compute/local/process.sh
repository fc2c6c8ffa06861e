# What start.sh and stop.sh know of the process. The PID file holds the process id and, on a second line, when the
# process was started: ids are used again, and the file must never point at somebody else's process.

pid_file=$FOLDER/gosling.pid

# When the process was started, in ticks since boot; nothing when it is gone or only waits to be reaped. Without /proc,
# "-" for whatever is there.
started() {
  if [ ! -d /proc/self ]; then
    if kill -0 "$1" 2>/dev/null; then echo -; fi
    return 0
  fi
  # The name, in parentheses, may hold anything; what follows it is fields without spaces, the state first.
  fields=$(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null) || return 0
  case $fields in
  '' | Z* | X*) return 0 ;;
  esac
  printf '%s\n' "$fields" | cut -d ' ' -f 20
}

# Sets pid when the runner's process is there.
find_process() {
  pid=
  [ -f "$pid_file" ] || return 1
  { read -r pid && read -r since; } <"$pid_file" || return 1
  case $pid in
  '' | *[!0-9]*) return 1 ;;
  esac
  [ -n "$since" ] && [ "$(started "$pid")" = "$since" ]
}
