#!/bin/bash
# npm test: sets up what it needs and runs every level of tests; without root those that need it are named and not run.
#   test/run.sh [LEVEL…]      levels: lint pure native-unit native session host machine; all when none is named
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD

levels=("$@")
[ ${#levels[@]} -gt 0 ] || levels=(lint pure native-unit native session host machine)
root=$([ "$(id -u)" = 0 ] && echo yes || echo no)

# With the sanitizers of gcc itself: the unit tests, and podrt-asan.
sanitized() { make -s -C native "-j$(nproc)" OUT="$here/dist" asan; }

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step packages
bash test/harness/packages.sh build lint session
[ "$root" = no ] || bash test/harness/packages.sh host machine
# install, not ci: the lock file cannot name platform packages that a mirror does not carry, and ci then refuses it.
[ -d node_modules ] || npm install --no-save

step build
npm run --silent build

# Throw-away users may not look into the checkout (a clone below /root, say): they get the built program at a place of their own.
if [ "$root" = yes ]; then
  export PODGEN_TEST_DIST=/var/lib/podgen-test/dist
  bash test/harness/stage.sh "$PODGEN_TEST_DIST"
fi

# Which levels failed, a line each: the levels may run in processes of their own.
failed=$(mktemp)
trap 'rm -f "$failed"' EXIT
fails() { echo "$1" >> "$failed"; }
not_run=()

# A test that stops the machine's journald would be felt by all who use it: it runs when native and session are done.
ALONE=test/native/relay.test.ts

native() {
  mapfile -t files < <(find test/native -name '*.test.ts' ! -path "$ALONE" | sort)
  node test/tools/test.mjs "${files[@]}" || fails native
  step "native: layers, with sanitizers"
  # What is unpacked comes from strangers.
  { sanitized > /dev/null && PODRT=$here/dist/podrt-asan node test/tools/test.mjs test/native/layer{,-hostile}.test.ts; } ||
    fails "native: layers, with sanitizers"
}
alone() { node test/tools/test.mjs "$ALONE" || fails "$ALONE"; }
# In two halves, side by side: one file after the other it would be half of CI's time.
session() { node test/tools/test.mjs session:1/2 || fails session; }
session2() { node test/tools/test.mjs session:2/2 || fails session; }
host() { node test/tools/test.mjs host || fails host; }
# An emulated processor would take one of ours from whoever waits for a deadline.
# By hand, node test/tools/test.mjs machine: systemd.test.ts boots all of Debian in emulation, two minutes and more; rdma.test.ts wants
# another kernel, 100 MB.
machine() { node test/tools/test.mjs test/machine/{limits,cgroup1,apparmor,selinux}.test.ts || fails machine; }
lint() { bash test/lint.sh || fails lint; }
pure() { node test/tools/test.mjs pure || fails pure; }
native-unit() {
  make -s -C native OUT="$here/dist" check || fails native-unit
  step "native-unit with sanitizers"
  sanitized || fails "native-unit with sanitizers"
  # Elsewhere another version of gcc would find other things.
  if [ -n "${CI-}" ]; then
    step "native-unit: gcc's analyzer"
    make -s -C native "-j$(nproc)" OUT="$here/dist" analyze || fails "native-unit: analyzer"
  fi
}

wants() { [[ " ${levels[*]} " == *" $1 "* ]]; }

for level in "${levels[@]}"; do
  case $level in
    lint | pure | native-unit | native | session | host | machine) ;;
    *) echo "unknown level $level" >&2; exit 64 ;;
  esac
done

for level in lint pure native-unit; do
  wants "$level" || continue
  step "$level"
  "$level"
done

if [ "$root" = no ]; then
  for level in native session host machine; do
    wants "$level" || continue
    while read -r file; do not_run+=("$file"); done < <(find "test/$level" -name '*.test.ts' | sort)
  done
else
  # They mostly wait: side by side they take as long as the longest. Each file has users, ports and folders of its own, and a host of
  # level 3 has its own journald. What a level says is shown when it is done.
  beside() {
    wants "${1%2}" || return 0
    ("$1" > "dist/$1.log" 2>&1) &
    pids[$1]=$!
  }
  finish() {
    wants "${1%2}" || return 0
    wait "${pids[$1]}" || true
    step "$1"
    cat "dist/$1.log"
  }
  declare -A pids
  beside session
  beside session2
  if wants native; then
    step "native${pids[session]+, with session beside it}"
    native
  fi
  beside host
  finish session
  finish session2
  if wants native; then
    step "native: alone"
    alone
  fi
  finish host
  # An emulated processor leaves nothing for others.
  if wants machine; then
    step machine
    machine
  fi
fi

if [ ${#not_run[@]} -gt 0 ]; then
  step "not run: these need root (they make users, namespaces and hosts)"
  printf '  %s\n' "${not_run[@]}"
fi
step "done"
if [ -s "$failed" ]; then
  echo "failed: $(paste -sd ' ' "$failed")"
  exit 1
fi
echo "all levels passed: ${levels[*]}"
