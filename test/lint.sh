#!/bin/bash
# npm run lint: formatting, types and the C half's compiler warnings, by tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
npx --no-install biome check .
npx --no-install tsc --noEmit
if command -v clang-format > /dev/null; then
  find native \( -name '*.c' -o -name '*.h' \) -print0 | xargs -0 clang-format --dry-run -Werror
fi
for script in test/*.sh test/harness/*.sh test/bench/*.sh .ci/run; do
  [ ! -e "$script" ] || bash -n "$script"
done
echo "lint: clean"
