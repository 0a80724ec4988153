#!/bin/bash
# Level 2: a throw-away user with a real `systemd --user`, a session bus and a real journald, on any machine.
#   session.sh start USER [UID]      session.sh run USER CMD…      session.sh stop USER [--purge]
# Where systemd is booted the user lingers and logind does the rest; on a bare machine (a container, CI) we do by hand
# what PID 1 and logind would do. Several users may run at once.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() { echo "usage: session.sh start USER [UID] | run USER CMD… | stop USER [--purge]" >&2; exit 64; }

# Sets $uid $gid $home $runtime $cgroup for user $1.
lookup() {
  local entry
  entry=$(getent passwd "$1") || return 1
  IFS=: read -r _ _ uid gid _ home _ <<< "$entry"
  runtime=/run/user/$uid
  cgroup=user.slice/user-$uid.slice/user@$uid.service
  manager=$HARNESS_RUN/session/$1.pid
}

# as_user USER CMD…: replaces this shell by CMD with what a login gives, and nothing of ours.
as_user() {
  local user=$1
  shift
  cd "$home"
  umask 022
  # What PID 1 gives everything it starts. The hard limit may be beyond us: not every root has CAP_SYS_RESOURCE.
  ulimit -Hn 524288 2> /dev/null || true
  ulimit -Sn 1024
  exec setpriv --reuid "$uid" --regid "$gid" --init-groups \
    env -i HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
    ${TERM:+TERM="$TERM"} XDG_RUNTIME_DIR="$runtime" DBUS_SESSION_BUS_ADDRESS="unix:path=$runtime/bus" "$@"
}

# --- start ------------------------------------------------------------------------------------------------------------

make_user() {
  local user=$1 file first
  install -d -m 755 "$HARNESS_LIB"
  if ! getent passwd "$user" > /dev/null; then
    useradd --create-home --home-dir "$HARNESS_LIB/$user" --shell /bin/bash ${2:+--uid "$2"} "$user"
    chmod 700 "$HARNESS_LIB/$user"
  elif [ -n "${2-}" ] && [ "$(id -u "$user")" != "$2" ]; then
    die "user $user exists with uid $(id -u "$user"), not $2"
  fi
  # useradd gives ranges where the machine is set up for it; else the first ids above all others'.
  for file in /etc/subuid /etc/subgid; do
    touch "$file"
    grep -q "^$user:" "$file" && continue
    first=$(awk -F: '{ end = $2 + $3; if (end > max) max = end } END { print max > 100000 ? max : 100000 }' "$file")
    echo "$user:$first:65536" >> "$file"
  done
  usermod -a -G systemd-journal "$user"
}

# Ours or anybody else's. A zombie is no journald: PID 1 of a bare machine may never reap.
journald_runs() { [ -n "$(pgrep -x systemd-journal -r R,S,D,T)" ]; }

start_journald() {
  ! journald_runs || return 0
  # Persistent, because only then journald keeps a file per user, which is all that `journalctl --user` opens.
  install -d -m 2755 -g systemd-journal /var/log/journal
  [ -s /etc/machine-id ] || systemd-machine-id-setup > /dev/null
  # This file says that /var is there, so that journald never writes to /run first. (Asking it to flush instead does not
  # work where /run is on disk: it refuses to remove its files there, and stays with them.)
  install -D -m 644 /dev/null /run/systemd/journal/flushed
  (close_fds; exec setsid /lib/systemd/systemd-journald) > "$HARNESS_RUN/journald.log" 2>&1 < /dev/null &
  remember "$HARNESS_RUN/journald.pid" $!
  wait_for 10 "journald's socket" test -S /run/systemd/journal/io.systemd.journal
}

make_cgroups() {
  local root dir file
  for root in $(cgroup_roots); do
    for dir in "$cgroup" "$cgroup/init.scope" "$cgroup/login.scope"; do
      mkdir -p "$root/$dir"
      chown "$uid:$gid" "$root/$dir"
      for file in cgroup.procs tasks cgroup.threads cgroup.subtree_control; do
        [ ! -e "$root/$dir/$file" ] || chown "$uid:$gid" "$root/$dir/$file"
      done
    done
  done
}

# The controllers a cgroup v2 machine has, down to the user. Best effort: a hybrid one has none here.
delegate_controllers() {
  local root=/sys/fs/cgroup dir="" part controller
  [ -f "$root/cgroup.subtree_control" ] || return 0
  for part in "" user.slice "user-$uid.slice" "user@$uid.service"; do
    [ -z "$part" ] || dir=$dir/$part
    for controller in cpu memory pids; do
      echo "+$controller" > "$root$dir/cgroup.subtree_control" 2>/dev/null || true
    done
  done
}

start_manager() {
  local user=$1
  if ! mountpoint -q "$runtime"; then
    mkdir -p "$runtime"
    mount -t tmpfs -o "nosuid,nodev,size=10%,mode=700,uid=$uid,gid=$gid" tmpfs "$runtime"
  fi
  make_cgroups
  delegate_controllers
  (
    cgroup_enter "$cgroup/init.scope"
    unset TERM
    close_fds
    as_user "$user" setsid /lib/systemd/systemd --user
  ) > "$HARNESS_RUN/session/$user.log" 2>&1 < /dev/null &
  remember "$manager" $!
}

# "degraded" is up too: units of the machine's other packages may fail, which is not our matter.
is_running() {
  local state
  state=$("$0" run "$1" systemctl --user is-system-running 2>/dev/null) || true
  [ "$state" = running ] || [ "$state" = degraded ]
}

start() {
  local user=$1
  make_user "$@"
  lookup "$user"
  if booted; then
    loginctl enable-linger "$user"
    wait_for 30 "the bus of $user" test -S "$runtime/bus"
  elif ! recall "$manager" > /dev/null; then
    mkdir -p "$HARNESS_RUN/session"
    # systemd's tools look whether it is booted by this folder.
    [ -d /run/systemd/system ] || { mkdir -p /run/systemd/system; touch "$HARNESS_RUN/made-system-dir"; }
    open_devices
    start_journald
    start_manager "$user"
    wait_for 15 "the bus of $user, see $HARNESS_RUN/session/$user.log" test -S "$runtime/bus"
  fi
  wait_for 30 "the manager of $user to be running" is_running "$user"
  check_dev_null
}

# --- run --------------------------------------------------------------------------------------------------------------

# A login would be in session-N.scope, root's, beside user@UID.service. From there only PID 1 can move a process into a
# unit of the user's manager, as `podgen exec` asks for, and a bare machine has no such PID 1. So: one cgroup of the
# user's own *inside* the delegated tree, beside the manager's init.scope: what a terminal started by a desktop's
# manager has. It belongs to no unit, so stopping one never kills it. The shell is replaced: same pid, terminal, signals.
run() {
  local user=$1 root
  shift
  lookup "$user" || die "no such user: $user"
  for root in $(cgroup_roots); do
    [ -d "$root/$cgroup" ] || die "no session of $user: session.sh start $user"
    [ -d "$root/$cgroup/login.scope" ] || make_cgroups
  done
  cgroup_enter "$cgroup/login.scope"
  as_user "$user" "$@"
}

# --- stop -------------------------------------------------------------------------------------------------------------

manager_inactive() { ! systemctl -q is-active "user@$uid.service"; }

stop_booted() {
  loginctl disable-linger "$1"
  systemctl stop "user@$uid.service" "user-runtime-dir@$uid.service" 2>/dev/null || true
  wait_for 100 "user@$uid.service to stop" manager_inactive
  cgroup_remove "user.slice/user-$uid.slice"
}

stop_bare() {
  # TERM starts exit.target, so that units stop in order (RTMIN+24 would leave at once). 100 s: a unit may take its 90 s.
  stop_process "$manager" 100 TERM
  rm -f "${manager%.pid}.log"
  cgroup_remove "user.slice/user-$uid.slice"
  if mountpoint -q "$runtime"; then
    umount -R "$runtime" 2>/dev/null || umount -R -l "$runtime"
  fi
  [ ! -d "$runtime" ] || rmdir "$runtime"
}

# Those of journald and the folder that says "booted": only if ours, only with the last session.
stop_shared() {
  local file
  for file in "$HARNESS_RUN"/session/*.pid; do
    ! recall "$file" > /dev/null || return 0
  done
  [ ! -f "$HARNESS_RUN/journald.pid" ] || stop_process "$HARNESS_RUN/journald.pid" 20
  [ ! -f "$HARNESS_RUN/made-system-dir" ] || rmdir /run/systemd/system || true
  rm -f "$HARNESS_RUN/made-system-dir"
}

# A later user of the same uid must not read this one's journal.
purge_journal() {
  local ours=0
  booted && return 0
  [ ! -f "$HARNESS_RUN/journald.pid" ] || { ours=1; journalctl --rotate 2>/dev/null || true; }
  rm -f /var/log/journal/*/"user-$uid@"*.journal
  [ $ours = 1 ] || rm -f /var/log/journal/*/"user-$uid.journal"
}

purge() {
  local user=$1
  [ "$home" = "$HARNESS_LIB/$user" ] || die "user $user is not one of ours: its home is $home"
  purge_journal
  rm -rf --one-file-system "$home"
  userdel "$user" 2>/dev/null || userdel "$user"
  sed -i "/^$user:/d" /etc/subuid /etc/subgid
}

stop() {
  local user=$1
  lookup "$user" || return 0
  if booted; then stop_booted "$user"; else stop_bare; stop_shared; fi
  [ "${2-}" != --purge ] || purge "$user"
  check_dev_null
}

# One start or stop at a time: they share journald, /etc/subuid and the cgroup root. Daemons do not inherit descriptor 9.
locked() {
  need_root
  mkdir -p "$HARNESS_RUN"
  exec 9> "$HARNESS_RUN/session.lock"
  flock -w 180 9 || die "another start or stop holds the lock"
  "$@"
}

[ $# -ge 2 ] || usage
command=$1
shift
case $command in
  start) [ $# -le 2 ] || usage; locked start "$@" ;;
  run) [ $# -ge 2 ] || usage; need_root; run "$@" ;;
  stop) [ $# -eq 1 ] || [ "${2-}" = --purge ] || usage; locked stop "$@" ;;
  *) usage ;;
esac
