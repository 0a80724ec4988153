#!/bin/bash
# Level 4: a machine of its own, by QEMU without KVM: Debian 13's kernel, cgroup v2 with all controllers.
#   machine.sh build [small|debian]            what can be made once
#   machine.sh boot small|debian NAME          ends with the machine; standard input and output are its channel (machine-agent.sh)
#   machine.sh shell small|debian NAME         the same with a shell of root on the terminal
# small: busybox and podrt in memory, up in some seconds. debian: a level-3 host with systemd and alice lingering, podgen at /opt/podgen.
# The disk nvme0n1 is small's swap; debian's root, where what is written is forgotten at the end.
# PODGEN_TEST_WORDS: more words for the kernel; podgen.cgroups=v1 gives small the hierarchies of cgroup v1 instead of cgroup2.
# PODGEN_TEST_KERNEL: small with the kernel of that package; PODGEN_TEST_MODULES: of its modules these are put into /tests.
# What the console says is in /var/lib/podgen-test/machines/NAME.log.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

checkout=$(cd "$here/../.." && pwd)
dist=${PODGEN_TEST_DIST:-$checkout/dist}

usage() { sed -n '3,5s/^#   /  /p' "$here/machine.sh" >&2; exit 64; }

busybox() {
  local folder=$HARNESS_CACHE/busybox-static file
  for file in "$folder/usr/bin/busybox" "$folder/bin/busybox"; do
    [ ! -x "$file" ] || { echo "$file"; return; }
  done
  # The package busybox may be the machine's, and the two exclude each other: so not installed.
  (cd "$dir" && apt-get -q -o APT::Sandbox::User=root download busybox-static > /dev/null && dpkg-deb -x busybox-static_*.deb "$folder")
  busybox
}

# All of the small machine, as the kernel unpacks it. $1: the cache.
make_small() {
  local tree=$dir/tree busybox
  busybox=$(busybox)
  mkdir -p "$tree"/{bin,etc,tests,rootfs/{bin,dev,etc,proc,sys,tmp}}
  cp "$busybox" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/sh"
  cp -a "$tree/bin/." "$tree/rootfs/bin"
  "$busybox" --list | grep -vx busybox | while read -r applet; do ln -sf busybox "$tree/rootfs/bin/$applet"; done
  printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:alice:/tmp:/bin/sh\n' | tee "$tree/rootfs/etc/passwd" > "$tree/etc/passwd"
  printf 'root:x:0:\nalice:x:1000:\n' | tee "$tree/rootfs/etc/group" > "$tree/etc/group"
  cp "$here/machine-init.sh" "$tree/init"
  cp "$here/machine-agent.sh" "$dist/podrt" "$tree/bin"
  chmod 755 "$tree/init" "$tree/bin/podrt"
  cp "$1"/modules/*/kernel/fs/overlayfs/overlay.ko "$tree/overlay.ko"
  # podrt's unit tests, as far as somebody has named them.
  [ -z "${PODGEN_TEST_UNITS-}" ] || cp "$PODGEN_TEST_UNITS"/* "$tree/tests"
  strip "$tree/bin/podrt" "$tree"/tests/* 2> /dev/null || true
  local module
  for module in ${PODGEN_TEST_MODULES-}; do find "$1/modules" -name "$module.ko.xz" -exec sh -c 'xz -dc "$1" > "$2"' - {} "$tree/tests/$module.ko" \;; done
  (cd "$tree" && find . | "$busybox" cpio -o -H newc > "$dir/initrd" 2> /dev/null)
}

# The built program and the images, which a level-3 host has from the machine around it.
make_program() {
  local tree=$dir/tree
  mkdir -p "$tree/images"
  cp "$here/machine-agent.sh" "$tree/agent.sh"
  chmod 755 "$tree/agent.sh"
  "$here/stage.sh" "$tree/dist"
  # Of those images that are a megabyte or two: busybox alone.
  [ -z "${PODGEN_TEST_IMAGES-}" ] || skopeo copy -q "oci:$PODGEN_TEST_IMAGES:busybox" "oci:$tree/images:busybox" < /dev/null
  mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$dir/program.img" 128M > "$dir.log"
}

boot() {
  local kind=$1 terminal=$2 cache words
  case $kind in
    small) cache=$("$here/machine-image.sh" kernel ${PODGEN_TEST_KERNEL:+"$PODGEN_TEST_KERNEL"}) ;;
    debian) cache=$("$here/machine-image.sh") ;;
    *) usage ;;
  esac
  mkdir -p "$HARNESS_LIB/machines"
  exec 8> "$dir.lock"
  flock -n 8 || die "machine $name is there already"
  rm -rf "$dir"
  mkdir "$dir"
  trap 'rm -rf "$dir"' EXIT
  # tsc: emulated it is steady, and the kernel need not find out. One processor: two wait for each other longer than they gain.
  words="console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable ${PODGEN_TEST_WORDS-}"
  local disk options=()
  if [ "$kind" = small ]; then
    make_small "$cache"
    disk=$dir/swap.img
    truncate -s 128M "$disk"
    options=(-m 512 -initrd "$dir/initrd")
    [ -z "$terminal" ] || words+=" podgen.shell"
  else
    make_program
    disk=$cache/root.img
    options=(-m 1536 -drive "file=$dir/program.img,format=raw,if=virtio,readonly=on")
    words+=" root=/dev/nvme0n1 rw systemd.show_status=0 fsck.mode=skip"
    [ -z "$terminal" ] || words+=" systemd.debug_shell=ttyS0"
  fi
  # The kernel has NVMe and ext4 built in, so that there is no initrd; virtio's disks it has as a module.
  options+=(-drive "file=$disk,format=raw,if=none,id=disk,snapshot=on" -device nvme,drive=disk,serial=podgen)
  if [ -n "$terminal" ]; then
    options+=(-serial mon:stdio)
  else
    options+=(-serial "file:$dir.log" -device virtio-serial-pci -chardev stdio,id=channel,signal=off
      -device "virtserialport,chardev=channel,name=channel,nr=1")
  fi
  # It has nothing of ours but its files, and no network.
  setpriv --pdeathsig KILL qemu-system-x86_64 -machine q35 -accel tcg -cpu max -smp 1 -nodefaults -display none -no-reboot \
    -device virtio-rng-pci -kernel "$cache/vmlinuz" -append "$words" "${options[@]}" 8>&-
}

[ $# -ge 1 ] || usage
command=$1
need_root
case $command in
  build)
    case ${2-all} in
      small) "$here/machine-image.sh" kernel > /dev/null ;;
      debian | all) "$here/machine-image.sh" > /dev/null ;;
      *) usage ;;
    esac
    ;;
  boot | shell)
    [ $# = 3 ] && [[ $3 =~ ^[a-z][a-z0-9-]*$ ]] || usage
    name=$3
    dir=$HARNESS_LIB/machines/$name
    boot "$2" "${command#boot}"
    ;;
  *) usage ;;
esac
