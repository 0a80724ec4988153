#!/bin/bash
# stage.sh PLACE: the built program at a place that every user can read: a checkout below /root, say, is not.
# Swapped in whole, so that a podgen that runs from there keeps its files until it is gone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
place=$1
mkdir -p "$(dirname "$place")"
rm -rf "$place.new" "$place.old"
mkdir "$place.new"
for part in podgen podrt podrt.sha256 package.json lib images; do
  [ ! -e "dist/$part" ] || cp -a "dist/$part" "$place.new/"
done
chmod -R go+rX "$place.new"
[ ! -e "$place" ] || mv "$place" "$place.old"
mv "$place.new" "$place"
rm -rf "$place.old"
