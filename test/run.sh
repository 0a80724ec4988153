#!/bin/bash
# npm test: sets up what it needs and runs every level of tests; without root those that need it are named and not run.
#   test/run.sh [LEVEL…]      levels: lint pure native-unit native session host; all when none is named
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD

levels=("$@")
[ ${#levels[@]} -gt 0 ] || levels=(lint pure native-unit native session host)
root=$([ "$(id -u)" = 0 ] && echo yes || echo no)

# With the sanitizers of gcc itself: the unit tests, and podrt-asan.
sanitized() { make -s -C native "-j$(nproc)" OUT="$here/dist" asan; }

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step packages
bash test/harness/packages.sh build lint session
[ "$root" = no ] || bash test/harness/packages.sh host
# install, not ci: the lock file cannot name platform packages that a mirror does not carry, and ci then refuses it.
[ -d node_modules ] || npm install --no-save

step build
npm run --silent build

# Throw-away users may not look into the checkout (a clone below /root, say): they get the built program at a place of their own.
if [ "$root" = yes ]; then
  export PODGEN_TEST_DIST=/var/lib/podgen-test/dist
  bash test/harness/stage.sh "$PODGEN_TEST_DIST"
fi

failed=()
not_run=()
for level in "${levels[@]}"; do
  step "$level"
  case $level in
    lint) bash test/lint.sh || failed+=("$level") ;;
    native-unit)
      make -s -C native OUT="$here/dist" check || failed+=("$level")
      step "$level with sanitizers"
      sanitized || failed+=("$level with sanitizers")
      ;;
    pure) node test/tools/test.mjs pure || failed+=("$level") ;;
    native | session | host)
      if [ "$root" = yes ]; then
        node test/tools/test.mjs "$level" || failed+=("$level")
        if [ "$level" = native ]; then
          step "$level: layers, with sanitizers"
          # What is unpacked comes from strangers.
          { sanitized > /dev/null && PODRT=$here/dist/podrt-asan node test/tools/test.mjs test/native/layer{,-hostile}.test.ts; } ||
            failed+=("$level: layers, with sanitizers")
        fi
      else
        while read -r file; do not_run+=("$file"); done < <(find "test/$level" -name '*.test.ts' | sort)
      fi
      ;;
    *) echo "unknown level $level" >&2; exit 64 ;;
  esac
done

if [ ${#not_run[@]} -gt 0 ]; then
  step "not run: these need root (they make users, namespaces and hosts)"
  printf '  %s\n' "${not_run[@]}"
fi
step "done"
if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "all levels passed: ${levels[*]}"
