#!/bin/bash
# The container of `runc spec --rootless` with /bin/true, started by podrt, crun, runc and by the limit (limit.c), in turn, as a
# throw-away user; then exec into a running one, and what stays in memory. Medians and ratios on stdout.
#   test/bench/oci.sh [ROUNDS [PODRT]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ "$(id -u)" = 0 ] || { echo "bench needs root: it makes a user and a mount namespace" >&2; exit 1; }
rounds=${1:-100} podrt=${2:-dist/podrt}
bash test/harness/packages.sh build session peers
[ -x "$podrt" ] || make -s -C native all

# crun refuses a hybrid cgroup layout whose cgroup2 has controllers: all get a plain one, seen by nobody else.
if [ -z "${PODGEN_BENCH_INSIDE-}" ]; then
  PODGEN_BENCH_INSIDE=1 exec unshare --mount --propagation private bash "$0" "$rounds" "$podrt"
fi
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  umount --recursive --lazy /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi

user=podgen-bench
session=(bash test/harness/session.sh)
end() { "${session[@]}" stop "$user" --purge > /dev/null 2>&1 || true; }
end
trap end EXIT
"${session[@]}" start "$user" > /dev/null
as_user() { "${session[@]}" run "$user" "$@"; }
home=$(getent passwd "$user" | cut -d: -f6)

mkdir -p "$home"/bundle/rootfs/{bin,proc,sys,dev}
printf 'void _start(void) { __asm__ volatile("mov $60, %%eax; xor %%edi, %%edi; syscall"); }\n' \
  | cc -Os -static -nostdlib -s -x c -o "$home/bundle/rootfs/bin/true" -
cp /bin/busybox "$home/bundle/rootfs/bin/sleep"
for program in limit rounds; do
  cc -O2 -static -std=c11 -Wall -Wextra -Werror -o "$home/$program" "test/bench/$program.c"
done
cp "$podrt" "$home/podrt"
chown -R "$user:" "$home"
as_user runc spec --rootless --bundle "$home/bundle"
configure() { # NAME WORDS: a bundle that runs them
  mkdir -p "$home/$1"
  jq --argjson args "$2" '.process.terminal = false | .process.args = $args | .root.path = "../bundle/rootfs"' \
    "$home/bundle/config.json" > "$home/$1/config.json"
}
configure true '["/bin/true"]'
configure sleep '["/bin/sleep", "1000"]'
chown -R "$user:" "$home"

echo "run of /bin/true, $rounds rounds in turn"
as_user ./rounds "$rounds" podrt ./podrt run --bundle true b1 -- crun crun run --bundle true b2 -- runc runc run --bundle true b3 \
  -- limit ./limit bundle/rootfs

echo
echo "exec of /bin/true"
for runtime in ./podrt crun runc; do
  as_user "$runtime" run --detach --bundle sleep "${runtime##*/}" < /dev/null > /dev/null
done
as_user ./rounds "$rounds" podrt ./podrt exec podrt /bin/true -- runc runc exec runc /bin/true -- crun crun exec crun /bin/true
echo
echo "exec of /bin/true, each by itself: who moves a process into a cgroup waits longer when nobody else has just done so"
as_user ./rounds "$rounds" podrt ./podrt exec podrt /bin/true
as_user ./rounds "$rounds" crun crun exec crun /bin/true
for runtime in ./podrt crun runc; do as_user "$runtime" delete --force "${runtime##*/}"; done

echo
echo "what \`run\` in the foreground keeps while the container lives, KiB: of its own (anonymous); resident, with files"
for runtime in ./podrt crun runc; do
  "${session[@]}" run "$user" "$runtime" run --bundle sleep "m${runtime##*/}" < /dev/null &
  sleep 1
  awk -v name="${runtime##*/}" '/^Anonymous/ { own = $2 } /^Rss/ { rss = $2 }
    END { printf "%-14s %6d %6d\n", name, own, rss }' "/proc/$!/smaps_rollup"
  as_user "$runtime" delete --force "m${runtime##*/}"
  wait $! || true
done
