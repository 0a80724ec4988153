#!/bin/bash
# Builds the root file system of a level-3 host, a Debian 13 with podman, node and a user alice, once; prints where it is.
# Kept in the cache and used read-only, as the lower layer of every host.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

release=trixie
packages=(
  systemd systemd-sysv dbus dbus-user-session libpam-systemd udev polkitd
  # podgen's own needs
  nodejs uidmap passt fuse-overlayfs isal
  # the peer
  podman crun conmon catatonit netavark aardvark-dns
  # for tests and for people who look in
  iproute2 iputils-ping nftables procps psmisc curl ca-certificates skopeo docker-registry apache2-utils openssl jq strace
  acl attr libcap2-bin less netcat-openbsd zstd
)

unit() { cat > "$root/etc/systemd/system/$1"; }

configure() {
  # nspawn covers parts of /proc and /sys; a nested user namespace may mount its own only where a whole one is seen.
  unit podgen-test-mounts.service << 'END'
  # Its /proc/sys is read-only, and its own way to have /proc/sys/net writable does not go with a namespace of ours.
[Unit]
Description=Whole /proc and /sys for nested namespaces, writable network settings
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mkdir -p /run/p /run/s
ExecStart=mount -t proc proc /run/p
ExecStart=mount -t sysfs sysfs /run/s
ExecStart=mount --bind /run/p/sys/net /proc/sys/net
[Install]
WantedBy=sysinit.target
END
  # The uplink is there before the boot, nobody waits for it: without this podman's Quadlet units lose 90 seconds.
  unit podgen-test-online.service << 'END'
[Unit]
Description=The network is online
Wants=network-online.target
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
[Install]
WantedBy=multi-user.target
END
  systemctl -q --root="$root" enable podgen-test-mounts.service podgen-test-online.service
  # Of no use here: they cost time at boot, run in the middle of a measurement, or (sysctl) set what is the machine's.
  systemctl -q --root="$root" mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap.service systemd-sysctl.service console-getty.service getty.target docker-registry.service \
    podman-auto-update.timer podman-restart.service podman-clean-transient.service logrotate.timer man-db.timer

  chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 alice
  chroot "$root" usermod -a -G systemd-journal alice
  # No pids controller here: crun would refuse podman's default limit.
  install -d "$root/home/alice/.config/containers"
  printf '[containers]\npids_limit = 0\n' > "$root/home/alice/.config/containers/containers.conf"
  chroot "$root" chown -R alice:alice /home/alice
  # podman would talk TLS to the test registry.
  install -d "$root/etc/containers/registries.conf.d"
  printf '[[registry]]\nlocation = "localhost:5000"\ninsecure = true\n' > "$root/etc/containers/registries.conf.d/podgen-test.conf"

  # The router at the other end of the uplink: it listens to nothing, so a question for a name fails at once.
  echo nameserver 10.99.0.1 > "$root/etc/resolv.conf"
  ln -s /opt/podgen/dist/podgen "$root/usr/local/bin/podgen"
  printf "%s\n" "127.0.0.1 localhost" "::1 localhost ip6-localhost" > "$root/etc/hosts"
  rm -f "$root/etc/hostname"
  mkdir -p "$root/opt/podgen"
}

key=$(sha256sum < "${BASH_SOURCE[0]}" | cut -c1-16)
cache=$HARNESS_CACHE/host-$release-$key
if [ ! -d "$cache" ]; then
  need_root
  "$here/packages.sh" host
  mkdir -p "$HARNESS_CACHE"
  exec 9> "$HARNESS_CACHE/host.lock"
  flock 9
  if [ ! -d "$cache" ]; then
    root=$cache.new
    rm -rf "$root"
    log=$(mktemp)
    mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" --dpkgopt=force-unsafe-io \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --dpkgopt='path-exclude=/usr/share/locale/*' "$release" "$root" > "$log" 2>&1 < /dev/null \
      || { tail -n 20 "$log" >&2; die "mmdebstrap failed"; }
    rm -f "$log"
    configure
    mv -T "$root" "$cache"
    # Those of earlier scripts, unless some host may still stand on one.
    [ -n "$(ls -A "$HARNESS_LIB/hosts" 2> /dev/null)" ] \
      || find "$HARNESS_CACHE" -maxdepth 1 -name 'host-*-*' ! -path "$cache" -exec rm -rf {} +
  fi
fi
echo "$cache"
