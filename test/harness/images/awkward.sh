# Everything that makes unpacking layers hard, over the busybox layer; one layer each in gzip, zstd and plain.
# Runs in a subshell of images.sh, after busybox.sh. awkward.list says what umoci, as an independent judge, made of it.
# shellcheck shell=bash disable=SC2154

# Not on the tmpfs: older kernels have no user.* attributes there.
disk=$(mktemp -d "$HARNESS_CACHE/awkward.XXXXXX")
trap 'rm -rf "$disk"' EXIT
busybox=$work/busybox/layer
dir=$work/awkward
long=$(printf 'x%.0s' {1..100})
umask 022

# put PATH [OWNER[:GROUP] [MODE]]: a file with its own name in it.
put() {
  mkdir -p "$(dirname "$1")"
  echo "$2 $1" > "$1"
  chown "${3:-0:0}" "$1"
  chmod "${4:-644}" "$1"
}

# --- layer 1, gzip ---
mkdir -p "$disk/1" && cd "$disk/1"
put hard/a one && ln hard/a hard/b && mkdir hard/deep && ln hard/a hard/deep/c
put hard/changed one && ln hard/changed hard/kept
put set/uid one 1000:1000 4755 && ln set/uid set/uid-link
put set/gid one 33:8 2755 && put set/both one 0:65534 6711
mkdir -m 1777 set/sticky && mkdir -m 2775 set/groupdir && chown 5:60 set/groupdir
put owner/last one 65534:65534 600 && put owner/nobody-only one 65534:0 && put owner/first one 1:1 400
mkdir -m 000 owner/closed && put owner/closed/inside one 7:7 000
put xattr/user one && setfattr -n user.comment -v 'plain text' xattr/user && setfattr -n user.binary -v 0x00ff0a3d xattr/user
put xattr/cap one 0:0 755 && setcap cap_net_raw,cap_net_bind_service+ep xattr/cap
put xattr/cap-owned one 1000:1000 755 && setcap cap_chown+ep xattr/cap-owned
mkdir xattr/dir && setfattr -n user.on.dir -v yes xattr/dir
mkfifo -m 620 fifo && chown 3:4 fifo
put "long/$long/$long/$long/file-with-a-path-beyond-255" one
put "long/$(printf 'n%.0s' {1..255})" one
ln "long/$long/$long/$long/file-with-a-path-beyond-255" long/link-to-far
ln -s "$(printf 'target/%.0s' {1..60})end" long/symlink-to-420
put $'names/latin1-\xe9\xff' one && ln $'names/latin1-\xe9\xff' $'names/link-\xfe'
ln -s $'to-\xe8' $'names/symlink-\xe8'
put $'names/new\nline' one && put 'names/ leading and trailing ' one && put 'names/back\slash' one && put names/-dash one
put $'names/\xc3\xbc-utf8' one && put names/wh.not-a-whiteout one && put 'names/50%&=' one
put link/target/file one
ln -s /link/target link/absolute && ln -s /nowhere/at/all link/dangling && ln -s ../../../../../link/target link/above-root
ln -s loop-b link/loop-a && ln -s loop-a link/loop-b && ln -P link/absolute link/hard-link-to-symlink
put gone/file one && put gone/dir/sub/file one && put gone/partly/stays one && put gone/partly/goes one
put opaque/old one && put opaque/sub/old one && put opaque/both one
put turns/file-to-dir one && put turns/dir-to-file/inside one && ln -s /link/target turns/symlink-to-dir && put turns/file-to-symlink one
put again/deleted-then-back one && put again/mode-only one
mkdir -p empty && put time/old one && touch -d '1969-12-31 12:00:00 UTC' time/old
put time/fraction one && touch -d '2001-02-03 04:05:06.789012345 UTC' time/fraction
: > zero && chmod 640 zero && truncate -s 1M holes

# --- layer 2, zstd: takes away, replaces, goes through symbolic links of layer 1 ---
mkdir -p "$disk/2" && cd "$disk/2"
put hard/.wh.a "" && put hard/changed two
put gone/.wh.file "" && put gone/.wh.dir "" && put gone/partly/.wh.goes "" && put gone/.wh.was-never-there ""
put opaque/.wh..wh..opq "" && put opaque/both two && put opaque/sub/new two
put turns/file-to-dir/inside two && put turns/dir-to-file two && put turns/symlink-to-dir/inside two
mkdir -p turns && ln -s /link/target turns/file-to-symlink
put again/.wh.deleted-then-back ""
find . -name '.wh.*' -exec truncate -s 0 {} +
find . ! -name . -print0 | LC_ALL=C sort -z > "$disk/names"
# Without entries for their folders: to be made, or to be reached through the links, but never out of the root.
put link/absolute/through-absolute two && put link/above-root/through-above-root two && put implied/parents/file two
printf '%s\0' ./link/absolute/through-absolute ./link/above-root/through-above-root ./implied/parents/file >> "$disk/names"

# --- layer 3, plain ---
mkdir -p "$disk/3" && cd "$disk/3"
put again/deleted-then-back three && put again/mode-only one 12:34 4700 && chmod 710 again

for number in 1 2 3; do
  # Folders hide their times while they are filled: the date of all folders is that of the build.
  find "$disk/$number" -type d -exec touch -d "@$oci_epoch" {} +
done
oci_layer "$disk/1" "$dir/1" gzip
mkdir -p "$dir/2"
tar --create --file "$dir/2/tar" --directory "$disk/2" --format=pax --numeric-owner --mtime="@$oci_epoch" --clamp-mtime \
  --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --no-recursion --null --files-from "$disk/names"
oci_packed "$dir/2" zstd
oci_layer "$disk/3" "$dir/3" none
oci_image awkward '{"Cmd": ["sh"], "User": "65534:65534", "WorkingDir": "/owner"}' "$busybox" "$dir/1" "$dir/2" "$dir/3"

# The judge cannot read zstd: the same tar files, with the second as gzip.
(
  layout=$disk/judge
  oci_layout "$layout"
  mkdir "$disk/gzip"
  zstd -qdc "$work/layout/blobs/sha256/$(jq -r '.digest[7:]' "$dir/2/descriptor")" > "$disk/gzip/tar"
  oci_packed "$disk/gzip" gzip
  for part in "$busybox" "$dir/1" "$dir/3"; do
    ln -s "$work/layout/blobs/sha256/$(jq -r '.digest[7:]' "$part/descriptor")" "$layout/blobs/sha256/"
  done
  oci_image judge '{}' "$busybox" "$dir/1" "$disk/gzip" "$dir/3"
  oci_index judge
  umoci unpack --image "$layout:judge" "$disk/bundle" > "$disk/umoci.log" 2>&1 || { cat "$disk/umoci.log" >&2; exit 1; }
)
# One record per path, ended by NUL: type mode uid gid links size seconds target path; no size, links and times of
# folders (they are the file system's own). Attributes: getfattr's text.
cd "$disk/bundle/rootfs"
find . -mindepth 1 -path ./bin -prune -o \( -type d -printf '%y %m %U %G - - - - %P\0' -o -printf '%y %m %U %G %n %s %T@ %l %P\0' \) \
  | LC_ALL=C sort -z > "$work/layout/awkward.list"
getfattr --no-dereference --dump --match=- --recursive --encoding=hex . > "$work/layout/awkward.attributes"
