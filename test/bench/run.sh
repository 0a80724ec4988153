#!/bin/bash
# npm run bench: podgen and podman 5.4 side by side on the level-3 host, interleaved; prints medians and ratios.
#   test/bench/run.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ "$(id -u)" = 0 ] || { echo "bench needs root: it boots a host of its own" >&2; exit 1; }
bash test/harness/packages.sh build session
bash test/harness/packages.sh host
[ -d node_modules ] || npm install --no-save --silent
npm run --silent build
host=bench
bash test/harness/host.sh stop $host > /dev/null 2>&1 || true
bash test/harness/host.sh start $host
trap 'bash test/harness/host.sh stop $host > /dev/null 2>&1 || true' EXIT
bash test/harness/host.sh run $host alice node /opt/podgen/test/bench/inside.mjs "${1:-10}"
