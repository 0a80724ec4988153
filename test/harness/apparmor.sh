#!/bin/bash
# An AppArmor profile as the kernel takes it: apparmor.sh PROFILE OUT. Nothing is installed and nothing loaded here.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# = 2 ] || { echo "usage: apparmor.sh PROFILE OUT" >&2; exit 64; }

folder=$HARNESS_CACHE/apparmor
if [ ! -x "$folder/sbin/apparmor_parser" ] && [ ! -x "$folder/usr/sbin/apparmor_parser" ]; then
  # The package would load profiles of its own into the machine's kernel, where that has AppArmor: so not installed.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download apparmor > /dev/null)
  mkdir -p "$folder"
  dpkg-deb -x "$work"/apparmor_*.deb "$folder"
fi
parser=$folder/sbin/apparmor_parser
[ -x "$parser" ] || parser=$folder/usr/sbin/apparmor_parser
features=$(find "$folder/etc/apparmor.d/abi" -name '3.0')
"$parser" --skip-kernel-load --skip-cache --config-file /dev/null --policy-features "$features" --kernel-features "$features" --ofile "$2" "$1"
