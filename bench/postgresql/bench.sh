# PostgreSQL: Ampload beside ADBC, and beside the limit: psql sending rows that are encoded already.
# Sourced by bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

source bench/support/server.sh

run_benchmark() {
  find_postgresql
  url=${AMPLOAD_BENCH_POSTGRESQL_URL:-}
  [ -n "$url" ] || start_server
  at_exit drop_tables
  if [ ${#memory[@]} -gt 0 ]; then run_memory; else run_peers; fi
}

TABLES='ampload_bench, ampload_bench_template'
drop_tables() { sql -c "SET client_min_messages = error" -c "DROP TABLE IF EXISTS $TABLES"; }

# Each run finds no table, and nothing that earlier ones have left to write.
start_afresh() {
  sql -c "SET client_min_messages = error" -c "DROP TABLE IF EXISTS ampload_bench"
  sql -c CHECKPOINT || die "the server's user may not CHECKPOINT"
  sync
}

check_rows() {
  local stored
  stored=$(sql -c "SELECT count(*) FROM ampload_bench")
  [ "$stored" = "$1" ] || die "$2 stored $stored rows instead of $1"
}

run_peers() {
  prepare_venv
  prepare_replay
  echo "bench: $pairs times ampload, psql, adbc" >&2
  local i
  for ((i = 0; i < pairs; ++i)); do
    start_afresh
    run_ampload >>"$results"
    check_rows "$rows" ampload
    start_afresh
    run_replay >>"$results"
    check_rows "$rows" psql
    start_afresh
    run_adbc >>"$results"
    check_rows "$rows" adbc
  done
  echo "postgresql: $(basename "$data"), $rows rows, server $(sql -c 'SHOW server_version')"
  report compare "$results"
}

run_ampload() { "$BUILD/bench_postgresql" --url "$url" --data "$data" --table ampload_bench; }
run_adbc() { "$venv/bin/python" bench/postgresql/adbc_ingest.py "$url" "$data" ampload_bench; }
run_replay() {
  sql -c "CREATE TABLE ampload_bench (LIKE ampload_bench_template)"
  measure "psql replay" "$rows" "$psql" -X -q -d "$url" \
    -c "\\copy ampload_bench from '$replay' (format binary)"
}

# What Ampload has stored, as COPY writes it, and a table of the same columns.
prepare_replay() {
  replay=$scratch/replay.bin
  drop_tables
  run_ampload >/dev/null
  rows=$(sql -c "SELECT count(*) FROM ampload_bench")
  sql -c "\\copy ampload_bench to '$replay' (format binary)"
  sql -c "CREATE TABLE ampload_bench_template (LIKE ampload_bench)"
}

# --without-pip: Debian's python3 has pip's own wheel in another package.
prepare_venv() {
  venv=$WORK/venv
  local wanted=bench/postgresql/requirements.txt
  cmp -s "$wanted" "$venv/installed.txt" && return
  echo "bench: installing ADBC in $venv" >&2
  python3 -m venv --clear --without-pip "$venv"
  python3 -m pip --python "$venv" install -q --disable-pip-version-check -r "$wanted" >&2
  cp "$wanted" "$venv/installed.txt"
}

run_memory() {
  local file i
  for ((i = 0; i < pairs; ++i)); do
    for file in "${memory[@]}"; do
      start_afresh
      measure "$(basename "$file")" 0 "$BUILD/ampload" load --quiet --from "$file" --to "$url" \
        --table ampload_bench >"$scratch/run.json"
      rows=$(sql -c "SELECT count(*) FROM ampload_bench")
      sed "s/\"rows\": 0/\"rows\": $rows/" "$scratch/run.json" >>"$results"
    done
  done
  echo "postgresql: most memory of 'ampload load'"
  report memory "$results"
}
