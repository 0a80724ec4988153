# A database: root entrypoint fills the volume /var/lib/mysql when it is empty, then becomes the server as user mysql.
# The environment is the official image's: MARIADB_ROOT_PASSWORD, _DATABASE, _USER, _PASSWORD, each also as …_FILE.
# shellcheck shell=bash disable=SC2034

packages=(mariadb-server-core mariadb-client-core)
config='{
  "Entrypoint": ["docker-entrypoint.sh"],
  "Cmd": ["mariadbd"],
  "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  "ExposedPorts": {"3306/tcp": {}},
  "Volumes": {"/var/lib/mysql": {}}
}'

finish() {
  local root=$1
  chroot "$root" groupadd -r -g 999 mysql
  chroot "$root" useradd -r -u 999 -g mysql -d /nonexistent -s /usr/sbin/nologin mysql
  install -d -m 755 -o 999 -g 999 "$root/var/lib/mysql" "$root/run/mysqld"
  # Small, for tests: megabytes instead of hundreds, and no names looked up.
  cat > "$root/etc/mysql/mariadb.conf.d/99-test.cnf" << 'CONF'
[mariadbd]
bind-address = *
skip-name-resolve
innodb_buffer_pool_size = 16M
innodb_log_file_size = 4M
CONF
  cat > "$root/usr/local/bin/docker-entrypoint.sh" << 'SCRIPT'
#!/bin/bash
# Fills an empty data directory, then becomes the server.
set -eu
data=/var/lib/mysql
case ${1-} in -*) set -- mariadbd "$@" ;; esac
if [ "$1" != mariadbd ]; then exec "$@"; fi

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$data" /run/mysqld
  find "$data" /run/mysqld \! -user mysql -exec chown mysql: '{}' +
  exec setpriv --reuid=mysql --regid=mysql --clear-groups -- "$0" "$@"
fi

value() { # value NAME: $NAME, or what is in the file $NAME_FILE
  local file=$1_FILE
  if [ -n "${!file-}" ]; then cat "${!file}"; else echo "${!1-}"; fi
}

if [ ! -d "$data/mysql" ]; then
  echo "entrypoint: initialising $data" >&2
  mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db --user=mysql > /dev/null
  # The server reads one statement per line.
  sql=/run/mysqld/init.sql
  umask 077
  {
    password=$(value MARIADB_ROOT_PASSWORD)
    [ -z "$password" ] || printf '%s\n' "ALTER USER root@localhost IDENTIFIED BY '$password';" \
      "CREATE USER root@'%' IDENTIFIED BY '$password';" "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    database=$(value MARIADB_DATABASE)
    [ -z "$database" ] || echo "CREATE DATABASE IF NOT EXISTS \`$database\`;"
    user=$(value MARIADB_USER)
    [ -z "$user" ] || echo "CREATE USER '$user'@'%' IDENTIFIED BY '$(value MARIADB_PASSWORD)';"
    [ -z "$user" ] || [ -z "$database" ] || echo "GRANT ALL ON \`$database\`.* TO '$user'@'%';"
  } > "$sql"
  umask 022
  set -- "$@" --init-file="$sql"
fi
unset MARIADB_ROOT_PASSWORD MARIADB_PASSWORD
exec "$@"
SCRIPT
  chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"
}
