#!/bin/bash
# Level 3: a whole Debian 13 booted by systemd-nspawn, with logind, journald, cgroup v2, podman, node and a user alice.
#   host.sh build                                     the root file system, once
#   host.sh start NAME [--no-linger] [--bind SRC:DST] [--bind-ro SRC:DST]
#   host.sh run NAME USER CMD…                        in the cgroup of USER's manager (root: beside the system's slices)
#   host.sh login NAME USER CMD…                      in a login session of its own, as ssh gives
#   host.sh reboot NAME [--hard]                      --hard: as if the power failed
#   host.sh stop NAME                                 and forget everything in it
# The repository is at /opt/podgen, read-only. The uplink is 10.99.0.2 and fd99::2; what is outside of the host is the
# network namespace podgen-NAME-up (10.99.0.1, fd99::1): `ip netns exec podgen-NAME-up curl 10.99.0.2:8080`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=host-uplink.sh
. "$here/host-uplink.sh"

usage() { sed -n '3,8s/^#   /  /p' "$here/host.sh" >&2; exit 64; }

# --- around it --------------------------------------------------------------------------------------------------------

# The cached root below, an overlay above. /home is a plain folder: an overlay cannot be the upper layer of another, and
# podman's storage and ours want to make overlays there.
make_root() {
  local lower
  lower=$("$here/host-image.sh")
  mkdir -p "$dir"/{upper,work,root}
  cp -a "$lower/home" "$dir/home"
  mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" overlay "$dir/root"
  echo "127.0.1.1 $name" >> "$dir/root/etc/hosts"
  systemd-machine-id-setup --root="$dir/root" > /dev/null 2>&1
}

# nspawn ends with 133 when the host inside reboots; it then is to be started again, and so after a --hard one.
supervise() {
  cgroup_enter "podgen-host-$name"
  while [ -f "$dir/wanted" ]; do
    # stdin is a pipe that never ends: with /dev/null there the machine's own came to belong to another user.
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -D "$dir/root" --machine="$name" --boot --quiet \
      --private-users=no --network-namespace-path="/run/netns/podgen-$name" --register=no --keep-unit --console=pipe \
      --capability=all --system-call-filter='@keyring bpf' --bind=/dev/net/tun --bind=/dev/fuse \
      --resolv-conf=off --timezone=off --link-journal=no --bind="$dir/home:/home" "$@" <> "$dir/console" || true
  done
}

# --- inside -----------------------------------------------------------------------------------------------------------

# The pid of the host's own PID 1, seen from here.
leader() {
  local pid
  for pid in $(cgroup_procs "podgen-host-$name"); do
    if [ "$(awk '$1 == "NSpid:" && NF == 3 { print $3 }' "/proc/$pid/status" 2> /dev/null)" = 1 ]; then
      echo "$pid"
      return
    fi
  done
  return 1
}

# Sets $uid $gid $home of user $1 in there.
lookup() {
  local entry
  pid=$(leader) || die "host $name is not running"
  entry=$(grep "^$1:" "/proc/$pid/root/etc/passwd") || die "no user $1 in host $name"
  IFS=: read -r _ _ uid gid _ home _ <<< "$entry"
}

# As session.sh: a cgroup in the delegated tree of the user's manager, which belongs to no unit. nsenter alone would leave
# the process in our cgroup, outside of the host's view, from where no manager in there could move it to a unit.
run() {
  local user=$1 root cgroup path=/usr/local/bin:/usr/bin:/bin session=()
  shift
  lookup "$user"
  for root in $(cgroup_roots); do
    cgroup=$root/podgen-host-$name/payload
    [ -d "$cgroup" ] || continue
    if [ -d "$cgroup/user.slice/user-$uid.slice/user@$uid.service" ]; then
      cgroup=$cgroup/user.slice/user-$uid.slice/user@$uid.service
    fi
    cgroup=$cgroup/login.scope
    mkdir -p "$cgroup"
    chown "$uid:$gid" "$cgroup" "$cgroup/cgroup.procs"
    echo $BASHPID > "$cgroup/cgroup.procs"
  done
  if [ "$uid" = 0 ]; then
    path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  else
    session=(XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus")
  fi
  ulimit -Sn 1024
  # nsenter has to fork (a process cannot change its own pid namespace): who kills it is to have killed the command.
  exec nsenter -t "$pid" -a -- setpriv --pdeathsig TERM --reuid "$uid" --regid "$gid" --init-groups \
    env -i -C "$home" HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash LANG=C.UTF-8 ${TERM:+TERM="$TERM"} \
    PATH="$path" "${session[@]}" "$@"
}

# A service that PAM makes a session of: logind moves it to session-N.scope and starts the user's manager if need be.
login() {
  local user=$1 mode=(--pipe)
  shift
  # No colours or titles around what the command prints.
  [ ! -t 0 ] || [ ! -t 1 ] || mode=(--pty --background=)
  lookup "$user"
  run root env SYSTEMD_ADJUST_TERMINAL_TITLE=0 systemd-run --quiet --collect --wait "${mode[@]}" --uid="$user" --property=PAMName=login \
    --working-directory="$home" --setenv=LANG=C.UTF-8 ${TERM:+--setenv=TERM="$TERM"} -- "$@"
}

is_up() {
  local pid state
  pid=$(leader) || return 1
  [ "$pid" != "${1-}" ] || return 1
  # Until PID 1 has made its own mounts, /run there may be the machine's image.
  state=$(nsenter -t "$pid" -a systemctl is-system-running 2> /dev/null) || true
  [ "$state" = running ] || [ "$state" = degraded ] || return 1
  [ ! -e "/proc/$pid/root/var/lib/systemd/linger/alice" ] || [ -S "/proc/$pid/root/run/user/1000/bus" ]
}

# --- commands ---------------------------------------------------------------------------------------------------------

start() {
  local linger=yes options=()
  while [ $# -gt 0 ]; do
    case $1 in
      --no-linger) linger=""; shift ;;
      --bind | --bind-ro) [ $# -ge 2 ] || usage; options+=("$1=$2"); shift 2 ;;
      *) usage ;;
    esac
  done
  [ ! -e "$dir" ] || die "host $name is there already"
  "$here/packages.sh" host
  open_devices
  mkdir -p "$dir"
  make_root
  [ -z "$linger" ] || install -D -m 644 /dev/null "$dir/root/var/lib/systemd/linger/alice"
  make_uplink
  mkfifo -m 600 "$dir/console"
  touch "$dir/wanted"
  local root
  for root in $(cgroup_roots); do mkdir -p "$root/podgen-host-$name"; done
  (
    close_fds
    trap '' HUP
    supervise --bind-ro="$(cd "$here/../.." && pwd):/opt/podgen" "${options[@]}"
  ) > "$dir/log" 2>&1 < /dev/null &
  remember "$dir/supervisor.pid" $!
  wait_for 60 "host $name to be up, see $dir/log" is_up
  check_dev_null
}

reboot() {
  local pid
  pid=$(leader) || die "host $name is not running"
  if [ "${1-}" = --hard ]; then
    kill -s KILL "$pid"
  else
    nsenter -t "$pid" -a systemctl reboot
  fi
  # Units may take their 90 s to stop.
  wait_for 180 "host $name to be up again, see $dir/log" is_up "$pid"
  check_dev_null
}

stop() {
  local pid
  [ -e "$dir" ] || return 0
  rm -f "$dir/wanted"
  # The host's PID 1 powers off on this signal.
  pid=$(leader) && kill -s RTMIN+4 "$pid"
  [ ! -f "$dir/supervisor.pid" ] || wait_for 30 "host $name to power off" is_gone "$dir/supervisor.pid" || true
  cgroup_remove "podgen-host-$name"
  ! mountpoint -q "$dir/root" || umount -R "$dir/root" 2> /dev/null || umount -R -l "$dir/root"
  drop_uplink
  rm -rf --one-file-system "$dir"
  check_dev_null
}

[ $# -ge 1 ] || usage
command=$1
name=${2-}
dir=$HARNESS_LIB/hosts/$name
[ "$command" != build ] || { "$here/host-image.sh" > /dev/null; exit; }
[[ $name =~ ^[a-z][a-z0-9-]*$ ]] || usage
need_root
shift 2
case $command in
  start | stop | reboot) "$command" "$@" ;;
  run | login) [ $# -ge 2 ] || usage; "$command" "$@" ;;
  *) usage ;;
esac
