# Writes an OCI image layout with tar, sha256sum and jq: layers, images, the index. Sourced by images.sh; uses $layout.
# shellcheck shell=bash

# One date for everything, so that the same packages give the same bytes.
oci_epoch=1735689600
oci_date=2025-01-01T00:00:00Z

oci_layout() {
  mkdir -p "$1/blobs/sha256" "$1/names"
  echo '{"imageLayoutVersion":"1.0.0"}' > "$1/oci-layout"
}

# oci_blob FILE: moves it into the layout, prints a descriptor without its media type.
oci_blob() {
  local digest size
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  chmod 444 "$1"
  mv -f "$1" "$layout/blobs/sha256/$digest"
  echo "{\"digest\":\"sha256:$digest\",\"size\":$size}"
}

# oci_layer TREE DIR gzip|zstd|none [TAR OPTION…]: packs TREE, leaves what oci_image wants to know in DIR.
oci_layer() {
  local tree=$1 dir=$2 how=$3
  shift 3
  mkdir -p "$dir"
  # xattrs: only those of the image; trusted.overlay.* is the build's.
  tar --create --file "$dir/tar" --directory "$tree" --format=pax --sort=name --numeric-owner \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --mtime="@$oci_epoch" --clamp-mtime \
    --xattrs --xattrs-include='user.*' --xattrs-include=security.capability --warning=no-file-ignored "$@" .
  oci_packed "$dir" "$how"
}

# oci_packed DIR gzip|zstd|none: the same for a DIR/tar that is there already.
oci_packed() {
  local dir=$1 type=application/vnd.oci.image.layer.v1.tar
  sha256sum "$dir/tar" | cut -d' ' -f1 > "$dir/diff"
  case $2 in
    gzip) gzip -6n "$dir/tar"; mv "$dir/tar.gz" "$dir/tar"; type=$type+gzip ;;
    zstd) zstd -q --rm "$dir/tar"; mv "$dir/tar.zst" "$dir/tar"; type=$type+zstd ;;
    none) ;;
  esac
  oci_blob "$dir/tar" | jq -c --arg type "$type" '{mediaType: $type} + .' > "$dir/descriptor"
}

# oci_image NAME CONFIG LAYER_DIR…: config and manifest.
oci_image() {
  local name=$1 config=$2 tmp=$layout/names/$1
  shift 2
  mkdir -p "$tmp"
  cat "${@/%//diff}" | jq -R . | jq -s --argjson config "$config" --arg date "$oci_date" --arg arch "$(dpkg --print-architecture)" \
    '{created: $date, architecture: $arch, os: "linux", config: $config,
      rootfs: {type: "layers", diff_ids: map("sha256:" + .)},
      history: map({created: $date, created_by: "podgen test image"})}' > "$tmp/config"
  jq -n --argjson config "$(oci_blob "$tmp/config")" --slurpfile layers <(cat "${@/%//descriptor}") \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: ({mediaType: "application/vnd.oci.image.config.v1+json"} + $config), layers: $layers}' > "$tmp/manifest"
  oci_blob "$tmp/manifest" | jq -c --arg name "$name" --arg arch "$(dpkg --print-architecture)" \
    '{mediaType: "application/vnd.oci.image.manifest.v1+json"} + .
      + {annotations: {"org.opencontainers.image.ref.name": $name}, platform: {architecture: $arch, os: "linux"}}' > "$tmp/descriptor"
}

# oci_index NAME…: writes index.json.
oci_index() {
  local name
  for name; do cat "$layout/names/$name/descriptor"; done \
    | jq -s '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}' > "$layout/index.json"
  rm -rf "$layout/names"
}

# overlay_to_whiteouts UPPER: an overlay's notes of what is gone, as a layer's: a 0/0 device is a file .wh.NAME.
overlay_to_whiteouts() {
  local path
  find "$1" -type c -print0 | while IFS= read -r -d '' path; do
    [ "$(stat -c %t:%T "$path")" = 0:0 ] || continue
    rm "$path"
    touch "$(dirname "$path")/.wh.$(basename "$path")"
  done
  find "$1" -type d -print0 | while IFS= read -r -d '' path; do
    if [ "$(getfattr --only-values -n trusted.overlay.opaque "$path" 2>/dev/null)" = y ]; then touch "$path/.wh..wh..opq"; fi
  done
}
