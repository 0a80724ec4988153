#!/bin/bash
# The root file system of level 3 as an image that has engines in it; prints where its OCI layout is, the tag is nested.
# Debian 13 with systemd, podman 5.4, crun and node, alice lingering, her and root's engines told where they are. Kept in the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=images/oci.sh
. "$here/images/oci.sh"

# Of no use in a pod, or of the level-3 host alone: there another /proc is in sight, which would hide that ours is masked.
without=(--exclude=./etc/systemd/system/podgen-test-mounts.service --exclude='./etc/systemd/system/*.wants/podgen-test-mounts.service'
  --exclude='./var/cache/*' --exclude='./var/lib/apt/lists/*' --exclude='./dev/*' --exclude=./usr/bin/{skopeo,docker-registry,strace}
  --exclude=./usr/lib/udev/hwdb.bin --exclude=./etc/machine-id)

# What differs from the host: ids that a pod has (1 to 65535, without alice's own); newuidmap with file capabilities, as images for nested
# engines have it: set-user-id root it would need SYS_ADMIN (user_namespaces(7): the map's writer owns the namespace, or has that).
differences() {
  local top=$1 file
  mkdir -p "$top"/{etc/containers,usr/bin,var/lib/systemd/linger}
  for file in uid gid; do
    cp "$lower/usr/bin/new${file}map" "$top/usr/bin/"
    chmod 755 "$top/usr/bin/new${file}map"
    setcap "cap_set$file=ep" "$top/usr/bin/new${file}map"
  done
  for file in subuid subgid; do printf '%s\n' alice:1:999 alice:1001:64535 > "$top/etc/$file"; done
  : > "$top/etc/machine-id"
  : > "$top/var/lib/systemd/linger/alice"
  # No pids controller: crun would refuse podman's default limit.
  printf '[containers]\npids_limit = 0\nlog_driver = "k8s-file"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' \
    > "$top/etc/containers/containers.conf"
}

build() {
  layout=$work/layout
  oci_layout "$layout"
  oci_layer "$lower" "$work/debian" none "${without[@]}"
  differences "$work/top"
  oci_layer "$work/top" "$work/changes" none
  oci_image nested '{"Cmd": ["/sbin/init"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}' \
    "$work/debian" "$work/changes"
  oci_index nested
  chmod -R go+rX "$layout"
  mv -T "$layout" "$cache"
}

need_root
lower=$("$here/host-image.sh")
key=$({ basename "$lower"; cat "$here/nested-image.sh" "$here/images/oci.sh"; } | sha256sum | cut -c1-16)
cache=$HARNESS_CACHE/nested-$key
if [ ! -d "$cache" ]; then
  exec 9> "$HARNESS_CACHE/nested.lock"
  flock 9
  if [ ! -d "$cache" ]; then
    find "$HARNESS_CACHE" -maxdepth 1 -name 'nested-*' ! -name nested.lock -exec rm -rf {} +
    work=$(mktemp -d "$HARNESS_CACHE/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    build
  fi
fi
echo "$cache"
