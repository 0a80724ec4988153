#!/bin/bash
# npm run lint: formatting, types and the C half's compiler warnings, by tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
npx --no-install biome check .
npx --no-install tsc --noEmit
if ! command -v clang-format > /dev/null; then
  echo "lint: clang-format is not installed: bash test/harness/packages.sh lint" >&2
  exit 1
fi
find native \( -name '*.c' -o -name '*.h' \) -print0 | xargs -0 clang-format --dry-run -Werror
for script in test/*.sh test/harness/*.sh test/bench/*.sh .ci/run; do
  [ ! -e "$script" ] || bash -n "$script"
done
echo "lint: clean"
