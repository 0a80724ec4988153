#!/bin/bash
# npm run quickstart: sets up what it needs, builds, applies a two-container pod, shows its status and fetches its page.
# As root a throw-away user "podgen-demo" runs the pod (on a machine without a booted systemd in a systemd --user of its own);
# an ordinary user with a user manager runs it as themselves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
harness=test/harness
user=podgen-demo

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. packages and build"
bash $harness/packages.sh build session
[ -d node_modules ] || npm install --no-save --silent
npm run --silent build

if [ "$(id -u)" = 0 ]; then
  say "2. a user of its own: $user"
  bash $harness/session.sh start $user
  place=/var/lib/podgen-demo
  bash $harness/stage.sh $place
  as_user() { bash $harness/session.sh run $user "$@"; }
else
  if [ ! -S "${XDG_RUNTIME_DIR:-/nonexistent}/bus" ]; then
    echo "no user manager here (XDG_RUNTIME_DIR has no bus): log in with a real session, or run this as root" >&2
    exit 1
  fi
  place=$PWD/dist
  as_user() { "$@"; }
fi

spec=$(as_user bash -c "echo \$HOME/web.yaml")
sed "s#IMAGES#$place/images#" fixtures/quickstart/web.yaml | as_user tee "$spec" > /dev/null

say "3. podgen apply web.yaml"
as_user "$place/podgen" apply "$spec"

say "4. podgen status web"
as_user "$place/podgen" status web

say "5. http://127.0.0.1:8080/"
as_user curl --silent --show-error --fail --max-time 10 http://127.0.0.1:8080/

say "6. and now"
if [ "$(id -u)" = 0 ]; then
  echo "  alias demo='bash $PWD/$harness/session.sh run $user'"
  prefix="demo "
else
  prefix=""
fi
echo "  ${prefix}$place/podgen logs web             ${prefix}systemctl --user status pod-web"
echo "  ${prefix}$place/podgen delete web"
[ "$(id -u)" != 0 ] || echo "  bash $harness/session.sh stop $user --purge      takes the user and all of it away again"
