# What PID 1, udev and logind do for a user, done by hand on a machine where systemd is not booted. Sourced by session.sh,
# which sets $uid $gid $runtime $cgroup $manager.
# shellcheck shell=bash disable=SC2154

# Ours or anybody else's, but no zombie (PID 1 of a bare machine may never reap) and none of a container on this machine.
journald_runs() { [ -n "$(pgrep -x systemd-journal -r R,S,D,T --ns $$ --nslist pid,mnt)" ]; }

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
    as_user "$user" setsid /lib/systemd/systemd --user --log-target=journal
  ) > "$HARNESS_RUN/session/$user.log" 2>&1 < /dev/null &
  remember "$manager" $!
}

start_bare() {
  local user=$1
  ! recall "$manager" > /dev/null || return 0
  mkdir -p "$HARNESS_RUN/session"
  # systemd's tools look whether it is booted by this folder.
  [ -d /run/systemd/system ] || { mkdir -p /run/systemd/system; touch "$HARNESS_RUN/made-system-dir"; }
  open_devices
  start_journald
  start_manager "$user"
  wait_for 15 "the bus of $user, see $HARNESS_RUN/session/$user.log" test -S "$runtime/bus"
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

# The journals of users who are gone; not while journald has them open.
drop_journals() {
  local file uid
  for file in /var/log/journal/*/user-*.journal; do
    uid=${file##*/user-}
    uid=${uid%%[.@]*}
    getent passwd "$uid" > /dev/null || rm -f "$file"
  done
}

# journald and the folder that says "booted": only if ours, only with the last session.
stop_shared() {
  local file
  for file in "$HARNESS_RUN"/session/*.pid; do
    ! recall "$file" > /dev/null || return 0
  done
  if [ -f "$HARNESS_RUN/journald.pid" ]; then
    stop_process "$HARNESS_RUN/journald.pid" 20
    drop_journals
  fi
  [ ! -f "$HARNESS_RUN/made-system-dir" ] || rmdir /run/systemd/system || true
  rm -f "$HARNESS_RUN/made-system-dir"
}
