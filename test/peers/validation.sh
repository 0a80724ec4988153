#!/bin/bash
# The public validation suite of OCI runtimes (github.com/opencontainers/runtime-tools, its folder validation) against one of them.
#   test/peers/validation.sh CHECKOUT RUNTIME [root|rootless] [PROGRAM…]
# CHECKOUT is a copy of that repository, which is nobody's part of this one; what is not built in it yet is built with `go` (1.21 or
# later, its modules are in vendor/). One line for each of the 58 programs, then how many passed; exit 1 where one failed.
#
# Everything happens in a mount and a PID namespace that end with us. `root`: cgroup v1 where the machine has it, without a cgroup2
# beside it, which some runtimes refuse. `rootless`: a throw-away user who is root in a user namespace of one id, with a cgroup2 of his own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
session=$here/../harness/session.sh
user=podgen-validate

usage() { echo "usage: validation.sh CHECKOUT RUNTIME [root|rootless] [PROGRAM…]" >&2; exit 64; }
[ $# -ge 2 ] || usage
checkout=$(cd "$1" && pwd) runtime=$(realpath "$(command -v "$2")") mode=${3:-root}
shift $(($# > 3 ? 3 : $#))

build() {
  local folder name
  (
    cd "$checkout"
    export CGO_ENABLED=0 GOFLAGS=-mod=vendor GOTOOLCHAIN=local
    [ -x runtimetest ] || go build -tags "netgo osusergo" -o runtimetest ./cmd/runtimetest
    for folder in validation/*/; do
      name=$(basename "$folder")
      [ "$name" = util ] || [ -x "$folder$name.t" ] || go build -o "$folder$name.t" "./$folder"
    done
  )
}

# A program says in TAP what held. Its words are kept beside the table when it fails. Standard input is a pipe: crun gives even the machine's
# /dev/null to the container's user.
judge() {
  local name=$1 out=$work/$1.tap code=0
  (cd "$checkout" && TMPDIR=$work RUNTIME=$runtime timeout --kill-after=5 60 "validation/$name/$name.t") > "$out" 2>&1 < <(:) || code=$?
  if [ $code != 0 ] || grep -q '^not ok' "$out"; then
    echo "fail  $name"
    { echo "== $name: exit $code"; cat "$out"; } >> "$details"
    return 1
  else
    echo "pass  $name"
  fi
}

inside() {
  local name passed=0 all=0
  details=${TMPDIR:-/tmp}/validation-$mode.txt
  work=$(mktemp -d)
  mount -t tmpfs -o mode=0755 tmpfs "$work"
  : > "$details"
  [ $# -gt 0 ] || set -- $(cd "$checkout/validation" && ls -d ./*/ | sed 's:^\./::; s:/$::; /^util$/d')
  for name; do
    all=$((all + 1))
    judge "$name" && passed=$((passed + 1))
  done
  umount -l "$work" && rmdir "$work"
  echo "$(basename "$runtime"), $mode: $passed of $all; what failed said so: $details"
  [ $passed = $all ]
}

case ${PODGEN_VALIDATE_STEP-} in
  inside)
    if [ "$mode" = rootless ]; then
      mount -t cgroup2 cgroup2 /sys/fs/cgroup
    elif [ -d /sys/fs/cgroup/unified ]; then
      umount -l /sys/fs/cgroup/unified
    fi
    inside "$@"
    ;;
  '')
    [ "$(id -u)" = 0 ] || { echo "validation.sh needs root: it makes namespaces, and a user for rootless" >&2; exit 1; }
    build
    rm -f "${TMPDIR:-/tmp}/validation-$mode.txt"
    namespaces=(unshare --mount --propagation private --pid --fork --kill-child --mount-proc)
    again=(env PODGEN_VALIDATE_STEP=inside bash "$here/validation.sh" "$checkout" "$runtime" "$mode" "$@")
    case $mode in
      root) "${namespaces[@]}" "${again[@]}" ;;
      rootless)
        trap 'bash "$session" stop "$user" --purge > /dev/null 2>&1' EXIT
        bash "$session" start "$user" > /dev/null
        # Its programs copy with owners: those must be ids that the user has.
        home=$(getent passwd "$user" | cut -d: -f6)
        mkdir "$home/checkout"
        cp -r "$checkout"/{validation,runtimetest,rootfs-*.tar.gz} "$home/checkout"
        install -m 755 "$runtime" "$home/"
        chown -R "$user:" "$home"
        again=(env PODGEN_VALIDATE_STEP=inside bash "$here/validation.sh" "$home/checkout" "$home/$(basename "$runtime")" rootless "$@")
        "$session" run "$user" "${namespaces[@]}" --user --map-root-user --cgroup "${again[@]}"
        ;;
      *) usage ;;
    esac
    ;;
esac
