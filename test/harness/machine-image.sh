#!/bin/bash
# Level 4's disk and kernel, made once; prints the folder in the cache where they are: vmlinuz of Debian 13's cloud kernel and
# root.img, the file system of a level-3 host (host-image.sh) with that kernel's modules. With `kernel` only vmlinuz is made; with
# `kernel PACKAGE` that of another package, kept beside it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

release=trixie
modules=(virtio_blk overlay tun veth)
package=${2:-linux-image-cloud-amd64}

# The kernel's package and what it unpacks to, without a system around it.
make_kernel() {
  local log
  log=$(mktemp)
  mmdebstrap --quiet --variant=extract --include="$package" "$release" "$cache.new/unpacked" > "$log" 2>&1 < /dev/null \
    || { tail -n 20 "$log" >&2; die "mmdebstrap failed"; }
  rm -f "$log"
  mv "$cache.new/unpacked/boot"/vmlinuz-* "$cache.new/vmlinuz"
  mv "$cache.new/unpacked/usr/lib/modules" "$cache.new/modules"
  # What is loaded: unpacked here, an emulated processor takes seconds for it.
  local module
  for module in "${modules[@]}"; do find "$cache.new/modules" -name "$module.ko.xz" -exec unxz {} +; done
  rm -rf "$cache.new/unpacked"
}

unit() { cat > "$1/etc/systemd/system/$2"; }

# What nspawn does not give, and what a level-3 host has for nspawn alone.
configure() {
  local root=$1
  cp -a "$2/modules" "$root/usr/lib/modules"
  depmod -b "$root" "$(ls "$2/modules")"
  systemctl -q --root="$root" disable podgen-test-mounts.service
  # udev's work at boot is half of it, and of no use here: devtmpfs has the nodes, and modules are named below.
  systemctl -q --root="$root" mask systemd-udev-trigger.service systemd-udevd.service systemd-udevd-control.socket \
    systemd-udevd-kernel.socket systemd-hwdb-update.service systemd-journal-flush.service systemd-timesyncd.service \
    modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service \
    modprobe@dm_mod.service modprobe@loop.service systemd-remount-fs.service systemd-sysusers.service systemd-random-seed.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount run-lock.mount tmp.mount \
    polkit.service
  printf '%s\n' "${modules[@]}" > "$root/etc/modules-load.d/podgen-test.conf"
  # A line of fstab would wait for a device, and without udev systemd knows none.
  unit "$root" podgen-test-agent.service << 'END'
[Unit]
Description=Does what the other end of the machine's channel says
After=user@1000.service multi-user.target
[Service]
ExecStartPre=mount -o ro /dev/vda /opt/podgen
ExecStartPre=chmod 666 /dev/fuse /dev/net/tun
ExecStart=/opt/podgen/agent.sh
# In no slice's limits, and what it starts may make cgroups below.
Delegate=yes
TasksMax=infinity
[Install]
WantedBy=graphical.target multi-user.target
END
  systemctl -q --root="$root" enable podgen-test-agent.service
  install -D -m 644 /dev/null "$root/var/lib/systemd/linger/alice"
  rm -f "$root/home/alice/.config/containers/containers.conf"
  systemd-machine-id-setup --root="$root" > /dev/null 2>&1
  echo machine > "$root/etc/hostname"
}

key=$(cat "${BASH_SOURCE[0]}" "$here/host-image.sh" | sha256sum | cut -c1-16)
name=machine
[ -z "${2-}" ] || name=kernel-$package
cache=$HARNESS_CACHE/$name-$key
wanted=$cache/${1:+vmlinuz}
[ -n "${1-}" ] || wanted=$cache/root.img
if [ ! -e "$wanted" ]; then
  need_root
  "$here/packages.sh" machine
  mkdir -p "$HARNESS_CACHE"
  exec 9> "$HARNESS_CACHE/machine.lock"
  flock 9
  if [ ! -d "$cache" ]; then
    find "$HARNESS_CACHE" -maxdepth 1 -name "$name-*" -exec rm -rf {} +
    mkdir "$cache.new"
    make_kernel
    mv -T "$cache.new" "$cache"
  fi
  if [ ! -e "$wanted" ]; then
    root=$(mktemp -d "$HARNESS_CACHE/machine-root.XXXXXX")
    trap 'rm -rf --one-file-system "$root"' EXIT
    cp -a "$("$here/host-image.sh")/." "$root"
    configure "$root" "$cache"
    mke2fs -q -t ext4 -O ^has_journal -d "$root" "$cache/root.img.new" 2G > /dev/null
    mv "$cache/root.img.new" "$cache/root.img"
  fi
fi
echo "$cache"
