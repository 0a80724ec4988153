# Common functions of the harness: messages, deadlines, processes, cgroups. Sourced, never run.
# shellcheck shell=bash disable=SC2034

HARNESS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# What is known of running sessions, registries and hosts. /run may be on disk on a bare machine, so nothing here is
# believed without a look at the process (pid and start time).
HARNESS_RUN=/run/podgen-test
HARNESS_LIB=/var/lib/podgen-test
HARNESS_CACHE=${PODGEN_TEST_CACHE:-/var/cache/podgen-test}

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "needs root"; }

# Is systemd PID 1 here? Its folder alone says nothing: we make it ourselves on a bare machine.
booted() { [ -d /run/systemd/system ] && [ "$(cat /proc/1/comm)" = systemd ]; }

# wait_for SECONDS WHAT COMMAND…: polls until COMMAND succeeds, fails loudly when the time is over.
wait_for() {
  local seconds=$1 what=$2 end
  shift 2
  end=$((${EPOCHREALTIME/./} + seconds * 1000000))
  until "$@"; do
    if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
      say "gave up after $seconds s: $what"
      return 1
    fi
    sleep 0.05
  done
}

# A test must never leave the machine's /dev/null changed: apt and much else fail in strange ways then.
check_dev_null() {
  [ "$(stat -c '%F %t:%T %u:%g %a' /dev/null)" = "character special file 1:3 0:0 666" ] \
    || die "/dev/null is no longer root's 1:3 device 0666: $(ls -l /dev/null)"
}

# What udev's static nodes give on a booted machine: rootless FUSE and tap devices need them.
open_devices() {
  local node
  for node in /dev/fuse /dev/net/tun; do
    [ ! -c "$node" ] || chmod 666 "$node"
  done
}

# --- processes, named by pid and start time, so that a reused pid is not taken for ours -------------------------------

start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # A zombie is gone: PID 1 of a bare machine may be slow to reap.
  case $stat in Z* | X*) return 1 ;; esac
  local field
  read -ra field <<< "$stat"
  echo "${field[19]}"
}

# remember FILE PID
remember() { echo "$2 $(start_time "$2")" > "$1"; }

# recall FILE: prints the pid when that very process still lives.
recall() {
  local pid start
  [ -f "$1" ] && read -r pid start < "$1" || return 1
  [ -n "$start" ] && [ "$(start_time "$pid")" = "$start" ] || return 1
  echo "$pid"
}

# For daemons: closes what this shell inherited or opened, such as our locks and the caller's pipes.
close_fds() {
  local fd
  for fd in "/proc/$BASHPID/fd"/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-"
  done
}

is_gone() { ! recall "$1" > /dev/null; }

# stop_process FILE SECONDS [SIGNAL]: asks, waits, then kills.
stop_process() {
  local pid
  if pid=$(recall "$1"); then
    kill -s "${3:-TERM}" "$pid" 2>/dev/null || true
    if ! wait_for "$2" "process $pid to end" is_gone "$1"; then
      kill -s KILL "$pid" 2>/dev/null || true
      wait_for 5 "process $pid to be killed" is_gone "$1" || return 1
    fi
  fi
  rm -f "$1"
}

# --- cgroups ----------------------------------------------------------------------------------------------------------

# The hierarchies systemd uses: one on a cgroup v2 machine, two on a hybrid one.
cgroup_roots() {
  if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    echo /sys/fs/cgroup
  else
    local root
    for root in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
      [ ! -f "$root/cgroup.procs" ] || echo "$root"
    done
  fi
}

# cgroup_enter PATH: moves this shell, in every hierarchy.
cgroup_enter() {
  local root
  for root in $(cgroup_roots); do
    echo "$BASHPID" > "$root/$1/cgroup.procs"
  done
}

cgroup_procs() {
  local root
  for root in $(cgroup_roots); do
    [ ! -d "$root/$1" ] || find "$root/$1" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done | sort -un
}

cgroup_kill_once() {
  local pid left=0
  for pid in $(cgroup_procs "$1"); do
    start_time "$pid" > /dev/null || continue
    left=1
    kill -s KILL "$pid" 2>/dev/null || true
  done
  [ "$left" = 0 ]
}

# cgroup_remove PATH: kills what is in it and below, then removes it.
cgroup_remove() {
  local root
  wait_for 10 "processes in cgroup $1 to be killed" cgroup_kill_once "$1"
  for root in $(cgroup_roots); do
    [ ! -d "$root/$1" ] || wait_for 5 "cgroup $1 to be empty" cgroup_rmdir "$root/$1"
  done
}

# A killed process stays in its cgroup until it is reaped, hence the retries by the caller.
cgroup_rmdir() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
  [ ! -d "$1" ]
}
