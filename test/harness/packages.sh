#!/bin/bash
# Installs the Debian packages that one purpose needs: packages.sh build|lint|fuzz|valgrind|session|host|machine|peers …
# Does nothing (some milliseconds) when they are there. Not root: one line that says what to install, exit 1.
set -euo pipefail

build=(gcc make libc6-dev pkg-config musl-tools libseccomp-dev libcap-dev libjansson-dev libarchive-dev nettle-dev
  zlib1g-dev libzstd-dev liblzma-dev libbz2-dev liblz4-dev libacl1-dev libattr1-dev libmbedtls-dev golang-github-containers-common)
lint=(clang-format)
# make fuzz: libFuzzer and the sanitizers of clang.
fuzz=(clang-14 libclang-rt-14-dev)
# make valgrind; without libc6-dbg it cannot follow ld.so.
valgrind=(valgrind libc6-dbg)
session=(systemd dbus dbus-user-session uidmap passt fuse-overlayfs isal iproute2 procps curl util-linux)
# apache2-utils: htpasswd, the registry wants bcrypt. gpg and its agent sign images, gpgv verifies them.
host=(mmdebstrap debian-archive-keyring systemd-container skopeo umoci docker-registry apache2-utils openssl attr
  libcap2-bin nftables iproute2 procps strace jq curl man-db xz-utils zstd gpg gpg-agent gpgv)
# checkpolicy: of a test's SELinux policy.
machine=("${host[@]}" qemu-system-x86 e2fsprogs kmod checkpolicy)

# Other OCI runtimes, to measure against: test/bench/oci.sh, test/peers.
peers=(crun runc busybox-static jq)

usage() { echo "usage: packages.sh build|lint|fuzz|valgrind|session|host|machine|peers …" >&2; exit 64; }

[ $# -gt 0 ] || usage
wanted=()
for purpose; do
  case $purpose in
    build) wanted+=("${build[@]}") ;;
    lint) wanted+=("${lint[@]}") ;;
    fuzz) wanted+=("${fuzz[@]}") ;;
    valgrind) wanted+=("${valgrind[@]}") ;;
    session) wanted+=("${session[@]}") ;;
    host) wanted+=("${host[@]}") ;;
    peers) wanted+=("${peers[@]}") ;;
    machine) wanted+=("${machine[@]}") ;;
    *) usage ;;
  esac
done

missing_of() {
  # dpkg-query exits 1 when it knows nothing of a name: that is an answer here, not an error.
  { dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } \
    | awk '$1 == "installed" { print $2 }' | sort -u > "$tmp/there"
  printf '%s\n' "$@" | sort -u | comm -23 - "$tmp/there"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mapfile -t missing < <(missing_of "${wanted[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "apt-get install -y --no-install-recommends ${missing[*]}"
  exit 1
fi

# Two runs at once (tests of several checkouts) wait for each other instead of failing.
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
export DEBIAN_FRONTEND=noninteractive
install() { "${apt[@]}" install --no-install-recommends "${missing[@]}" > "$tmp/log" 2>&1 < /dev/null; }
echo "installing: ${missing[*]}" >&2
# The lists are refreshed only when the install without that fails: it needs the network and some seconds.
install || { "${apt[@]}" update > /dev/null 2>&1 < /dev/null || true; install; } || {
  tail -n 30 "$tmp/log" >&2
  exit 1
}
mapfile -t missing < <(missing_of "${missing[@]}")
[ ${#missing[@]} -eq 0 ] || { echo "still missing after the install: ${missing[*]}" >&2; exit 1; }
