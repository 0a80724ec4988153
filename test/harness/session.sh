#!/bin/bash
# Level 2: a throw-away user with a real `systemd --user`, a session bus and a real journald, on any machine.
#   session.sh start USER [UID]      session.sh run USER CMD…      session.sh stop USER [--purge]
# Where systemd is booted the user lingers and logind does the rest; on a bare machine (a container, CI) we do by hand
# what PID 1 and logind would do. Several users may run at once.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=session-bare.sh
. "$(dirname "${BASH_SOURCE[0]}")/session-bare.sh"

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

# A uid never used before: files, and a journal that journald still holds open, may be left of an earlier one.
next_uid() {
  { getent passwd; cat "$HARNESS_LIB/last-user" 2> /dev/null; } \
    | awk -F: '$3 > max && $3 >= 1000 && $3 < 60000 { max = $3 } END { print max < 1000 ? 1001 : max + 1 }'
}

make_user() {
  local user=$1 file first
  install -d -m 755 "$HARNESS_LIB"
  if ! getent passwd "$user" > /dev/null; then
    useradd --create-home --home-dir "$HARNESS_LIB/$user" --shell /bin/bash --uid "${2:-$(next_uid)}" "$user"
    [ -n "${2-}" ] || getent passwd "$user" > "$HARNESS_LIB/last-user"
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

# "degraded" is up too: units of the machine's other packages may fail, which is not our matter.
is_running() {
  local state
  state=$("$0" run "$1" systemctl --user is-system-running 2>/dev/null) || true
  [ "$state" = running ] || [ "$state" = degraded ]
}

start() {
  local user=$1
  "$HARNESS_DIR/packages.sh" session
  make_user "$@"
  lookup "$user"
  if booted; then
    loginctl enable-linger "$user"
    wait_for 30 "the bus of $user" test -S "$runtime/bus"
  else
    start_bare "$user"
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

purge() {
  local user=$1
  [ "$home" = "$HARNESS_LIB/$user" ] || die "user $user is not one of ours: its home is $home"
  rm -rf --one-file-system "$home"
  userdel "$user" 2>/dev/null || userdel "$user"
  sed -i "/^$user:/d" /etc/subuid /etc/subgid
}

stop() {
  local user=$1
  lookup "$user" || return 0
  if booted; then
    stop_booted "$user"
  else
    stop_bare
    locked stop_shared
  fi
  [ "${2-}" != --purge ] || locked purge "$user"
  check_dev_null
}

# One at a time: starts share journald, /etc/subuid and more, and a stop must not take journald from a session that is
# just starting. Waiting for slow units to stop is not under the lock. Daemons do not inherit descriptor 9.
locked() {
  exec 9> "$HARNESS_RUN/session.lock"
  flock -w 60 9 || die "somebody else holds $HARNESS_RUN/session.lock"
  "$@"
  exec 9>&-
}

[ $# -ge 2 ] || usage
command=$1
shift
need_root
mkdir -p "$HARNESS_RUN"
case $command in
  start) [ $# -le 2 ] || usage; locked start "$@" ;;
  run) [ $# -ge 2 ] || usage; run "$@" ;;
  stop) [ $# -eq 1 ] || [ "${2-}" = --purge ] || usage; stop "$@" ;;
  *) usage ;;
esac
