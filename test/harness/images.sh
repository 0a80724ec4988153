#!/bin/bash
# Real test images from Debian packages, as one OCI layout with a tag per image: images.sh OUTDIR
# nginx, redis, mariadb and systemd share a Debian base layer; busybox is tiny; awkward is all that makes unpacking hard.
# Built once (needs the Debian mirror, under a minute), then kept in the cache: skopeo reads oci:OUTDIR:nginx.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=images/oci.sh
. "$here/images/oci.sh"

release=bookworm
images=(nginx redis mariadb systemd busybox awkward)

# In the order of appearance: what a container image leaves out of a Debian (and tests do not read).
# shellcheck disable=SC2016
slim=(--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*'
  --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io
  # Without the pin the package usrmerge is taken, and with it all of Perl.
  --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr
  --setup-hook='printf "Package: usrmerge\nPin: release *\nPin-Priority: -1\n" > "$1/etc/apt/preferences.d/usrmerge"')

make_base() {
  # The package lists stay, for the packages of the images; no layer contains them.
  mmdebstrap --quiet --variant=apt --skip=cleanup/apt/lists "${slim[@]}" "$release" "$work/base" > "$work/base.log" 2>&1 \
    || { tail "$work/base.log" >&2; die "mmdebstrap failed"; }
  cp /etc/resolv.conf "$work/base/etc/resolv.conf"
  # No service may start while a package is configured.
  printf '#!/bin/sh\nexit 101\n' > "$work/base/usr/sbin/policy-rc.d"
  chmod 755 "$work/base/usr/sbin/policy-rc.d"
}

# Paths that are of the build, not of the image.
not_in_layers=(--exclude=./usr/sbin/policy-rc.d --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*.bin'
  --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/cache/debconf/*-old' --exclude='./var/lib/dpkg/*-old'
  --exclude=./var/log/{dpkg,alternatives,bootstrap}.log --exclude='./var/log/apt/*' --exclude=./etc/resolv.conf --exclude=./etc/hostname --exclude='./tmp/*'
  --exclude='./dev/*')

# One image: its packages on an overlay over the base, what changed becomes its layer.
# The file images/NAME.sh says packages=(…), config='…' and finish(), which gets the root and the upper directory.
build_on_base() {
  local name=$1 dir=$work/$1 packages=() config
  mkdir -p "$dir/upper" "$dir/work" "$dir/root"
  mount -t overlay -o "lowerdir=$work/base,upperdir=$dir/upper,workdir=$dir/work,redirect_dir=off" overlay "$dir/root"
  # shellcheck source=images/nginx.sh
  . "$here/images/$name.sh"
  DEBIAN_FRONTEND=noninteractive chroot "$dir/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y install --no-install-recommends "${packages[@]}" > "$dir/log" 2>&1 < /dev/null \
    || { tail "$dir/log" >&2; die "cannot install ${packages[*]}"; }
  finish "$dir/root"
  umount "$dir/root"
  overlay_to_whiteouts "$dir/upper"
  oci_layer "$dir/upper" "$dir/layer" gzip "${not_in_layers[@]}"
  wait_for 60 "the base layer" test -f "$work/base.layer/done"
  oci_image "$name" "$config" "$work/base.layer" "$dir/layer"
}

build() {
  local name pids=() pid
  # All in memory: no disk is slower, and an overlay's upper directory may not be on another overlay (containers).
  mount -t tmpfs -o size=3g tmpfs "$work"
  layout=$work/layout
  oci_layout "$layout"
  make_base
  { oci_layer "$work/base" "$work/base.layer" gzip "${not_in_layers[@]}"; touch "$work/base.layer/done"; } & pids+=($!)
  for name in nginx redis mariadb systemd; do
    build_on_base "$name" & pids+=($!)
  done
  # shellcheck source=images/busybox.sh source=images/awkward.sh
  (. "$here/images/busybox.sh"; . "$here/images/awkward.sh") & pids+=($!)
  for pid in "${pids[@]}"; do
    wait "$pid" || die "an image could not be built"
  done
  oci_index "${images[@]}"
  cp -a "$layout" "$cache.new"
  mv -T "$cache.new" "$cache"
  # Those of earlier scripts; not of the last hour, which another checkout may be using.
  find "$HARNESS_CACHE" -maxdepth 1 -name "images-*" ! -path "$cache" -mmin +60 -exec rm -rf {} +
}

clean_up() {
  local mount
  # Deepest first: the overlays of a build that broke off.
  findmnt -rno TARGET | { grep "^$work" || true; } | sort -r | while read -r mount; do umount -l "$mount"; done
  rmdir "$work"
}

[ $# = 1 ] || { echo "usage: images.sh OUTDIR" >&2; exit 64; }
out=$1
key=$({ echo "$release"; cat "$here/images.sh" "$here"/images/*; } | sha256sum | cut -c1-16)
cache=$HARNESS_CACHE/images-$key
if [ ! -f "$cache/index.json" ]; then
  need_root
  "$here/packages.sh" host
  mkdir -p "$HARNESS_CACHE"
  exec 9> "$HARNESS_CACHE/images.lock"
  flock 9
  if [ ! -f "$cache/index.json" ]; then
    rm -rf "$cache.new"
    work=$(mktemp -d "$HARNESS_CACHE/work.XXXXXX")
    trap clean_up EXIT
    build
  fi
fi
# Several tests share an OUTDIR and may be reading it: what is there is left alone, and what is not comes whole, index.json last.
exec 8> "${out%/}.lock"
flock 8
[ "$(cat "$out/.key" 2>/dev/null)" != "$key" ] || exit 0
# Blobs are named by their content and read-only: hard links do, where possible. -n: what an earlier cache left there is the same.
mkdir -p "$out/blobs/sha256"
cp -aln "$cache/blobs/sha256/." "$out/blobs/sha256/" 2>/dev/null || cp -an "$cache/blobs/sha256/." "$out/blobs/sha256/"
for file in "$cache/oci-layout" "$cache"/awkward.* "$cache/index.json"; do
  cp "$file" "$out/.new"
  mv "$out/.new" "$out/$(basename "$file")"
done
echo "$key" > "$out/.key"
