# A PostgreSQL server for the time of a benchmark, on a free port of the loopback interface.
# shellcheck shell=bash disable=SC2034,SC2154

# Sets postgresql_bin (may be empty) and psql. Debian's psql in PATH is a Perl script around the real
# one, which would be measured along.
find_postgresql() {
  postgresql_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  [ -x "$postgresql_bin/psql" ] || postgresql_bin=$(dirname "$(command -v postgres || true)")
  psql=$postgresql_bin/psql
  [ -x "$psql" ] || psql=$(command -v psql) || die "psql is missing (Debian: postgresql-client)"
}

# PostgreSQL does not run as root.
as_server_user() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Sets url, and PGPASSWORD for all clients. An argument: more options of the server.
start_server() {
  [ -x "$postgresql_bin/initdb" ] || die "there is no PostgreSQL server (Debian: postgresql); install
  one, or set AMPLOAD_BENCH_POSTGRESQL_URL"
  server=$scratch/server
  install -d -m 700 "$server"
  PGPASSWORD=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
  export PGPASSWORD
  (umask 077 && echo "$PGPASSWORD" >"$server/password")
  [ "$(id -u)" -ne 0 ] || chown -R postgres: "$server"
  local port
  port=$(free_port)
  (cd "$server" && as_server_user "$postgresql_bin/initdb" -D "$server/data" -U postgres \
    --auth=scram-sha-256 --pwfile="$server/password" --encoding=UTF8 --locale=C >/dev/null)
  at_exit stop_server
  (cd "$server" && as_server_user "$postgresql_bin/pg_ctl" -D "$server/data" -l "$server/log" -s -w \
    -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' \
        -c shared_buffers=512MB -c max_wal_size=8GB ${1:-}" start) || { cat "$server/log" >&2; return 1; }
  url=postgresql://postgres@127.0.0.1:$port/postgres
}

sql() { "$psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$url" "$@"; }

stop_server() {
  (cd "$server" && as_server_user "$postgresql_bin/pg_ctl" -D "$server/data" -s -m immediate stop)
}
