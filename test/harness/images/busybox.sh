# busybox: one static binary, a hard link for each applet, as the official image. Runs in a subshell of images.sh.
# shellcheck shell=bash disable=SC2154

dir=$work/busybox
mkdir -p "$dir/tree"/{bin,dev,etc,home,proc,root,run,sys,tmp,usr/bin,usr/sbin,var/log,var/spool} "$dir/deb"
chmod 700 "$dir/tree/root"
chmod 1777 "$dir/tree/tmp"
uri=$(chroot "$work/base" env PATH=/usr/sbin:/usr/bin:/sbin:/bin apt-get -q download --print-uris busybox-static 2> "$dir/log" | cut -d"'" -f2)
curl -sSfo "$dir/deb/busybox.deb" "$uri"
dpkg-deb --fsys-tarfile "$dir/deb/busybox.deb" | tar -x -C "$dir/tree" --wildcards '*bin/busybox' --transform='s,.*/,bin/,'
for applet in $("$dir/tree/bin/busybox" --list); do
  [ -e "$dir/tree/bin/$applet" ] || ln "$dir/tree/bin/busybox" "$dir/tree/bin/$applet"
done
cat > "$dir/tree/etc/passwd" << 'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
END
printf '%s\n' root:x:0: daemon:x:1: www-data:x:33: nogroup:x:65534: > "$dir/tree/etc/group"
oci_layer "$dir/tree" "$dir/layer" gzip
oci_image busybox '{"Cmd": ["sh"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}' "$dir/layer"
