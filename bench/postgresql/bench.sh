# PostgreSQL: Ampload beside ADBC and DuckDB, and beside the limit: psql sending rows that are encoded
# already. Sourced by bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

source bench/support/server.sh

COMMITS=${AMPLOAD_BENCH_COMMITS:-1000}
JOBS=2
KEY=${AMPLOAD_BENCH_KEY:-block_num,log_index}

run_benchmark() {
  find_postgresql
  url=${AMPLOAD_BENCH_POSTGRESQL_URL:-}
  [ -n "$url" ] || start_server "${AMPLOAD_BENCH_SERVER_OPTIONS:-}"
  if [ ${#memory[@]} -gt 0 ]; then
    at_exit drop_table
    run_memory
    return
  fi
  [ ${#parts[@]} -gt 0 ] || parts=(loads upsert commits)
  prepare_venv
  prepare_replay
  local part
  for part in "${parts[@]}"; do
    : >"$results"
    case $part in
      loads) run_loads ;;
      upsert) run_upserts ;;
      commits) run_commits ;;
      *) die "--part: '$part' is none of loads, upsert, commits" ;;
    esac
  done
}

quietly() { sql -c "SET client_min_messages = error" "$@"; }
TABLES='ampload_bench, ampload_bench_template, ampload_bench_before, _amp_streams, _amp_batches'
drop_table() { quietly -c "DROP TABLE IF EXISTS ampload_bench"; }
drop_tables() { quietly -c "DROP TABLE IF EXISTS $TABLES"; }
make_empty() { sql -c "CREATE TABLE ampload_bench (LIKE ampload_bench_template)"; }

# Each run finds no table, and nothing that earlier ones have left to write.
start_afresh() {
  quietly -c "DROP TABLE IF EXISTS ampload_bench, _amp_streams, _amp_batches"
  settle
}
settle() {
  sql -c CHECKPOINT || die "the server's user may not CHECKPOINT"
  sync
}

check_rows() {
  local stored
  stored=$(sql -c "SELECT count(*) FROM ampload_bench")
  [ "$stored" = "$1" ] || die "$2 stored $stored rows instead of $1"
}

# run_own WHO RUN OPTION ...
run_own() {
  local who=$1
  shift
  "$BUILD/bench_postgresql" --url "$url" --data "$data" --table ampload_bench --who "$who" \
    --run "$@"
}

# What Ampload has stored, as COPY writes it, and a table of the same columns.
prepare_replay() {
  replay=$scratch/replay.bin
  drop_tables
  at_exit drop_tables
  run_own ampload load >/dev/null
  rows=$(sql -c "SELECT count(*) FROM ampload_bench")
  sql -c "\\copy ampload_bench to '$replay' (format binary)"
  sql -c "CREATE TABLE ampload_bench_template (LIKE ampload_bench)"
  drop_table
}

# Into a table that is there, as psql does it.
load_ampload() { make_empty && run_own ampload load; }
load_new() { run_own "ampload, new table" load; }
load_stream() { run_own "ampload, stream" stream; }
load_jobs() {
  make_empty
  measure "ampload, --jobs $JOBS" "$rows" "$BUILD/ampload" load --quiet --jobs "$JOBS" --adopt \
    --from "$data" --to "$url" --table ampload_bench
}
load_command() {
  make_empty
  measure "ampload, command" "$rows" "$BUILD/ampload" load --quiet --from "$data" --to "$url" \
    --table ampload_bench
}
load_psql() {
  make_empty
  measure "psql replay" "$rows" "$psql" -X -q -d "$url" \
    -c "\\copy ampload_bench from '$replay' (format binary)"
}
load_adbc() { "$venv/bin/python" bench/postgresql/adbc_ingest.py "$url" "$data" ampload_bench; }
load_duckdb() { "$venv/bin/python" bench/postgresql/duckdb_insert.py "$url" "$data" ampload_bench; }

run_loads() {
  local who i loaders=(ampload psql new stream command jobs adbc duckdb)
  echo "bench: $pairs times ${loaders[*]}" >&2
  for ((i = 0; i < pairs; ++i)); do
    for who in "${loaders[@]}"; do
      start_afresh
      if "load_$who" >"$scratch/run.json" 2>"$scratch/run.err"; then
        check_rows "$rows" "$who"
        cat "$scratch/run.json" >>"$results"
      elif [ "$who" = adbc ] || [ "$who" = duckdb ]; then
        # What a peer cannot store is said once; it has no figures then.
        [ "$i" -gt 0 ] || echo "$who cannot load this: $(grep -v '^ ' "$scratch/run.err" | tail -n 1)"
      else
        cat "$scratch/run.err" >&2
        die "$who failed"
      fi
    done
  done
  echo "postgresql: $(basename "$data"), $rows rows, server $(sql -c 'SHOW server_version')," \
    "wal_level $(sql -c 'SHOW wal_level')"
  report compare "$results"
  echo
}

quoted_key() { sed 's/[^,]*/"&"/g' <<<"$KEY"; }

# As many rows as will come, of whose keys one in ten comes.
prepare_upserts() {
  local shift_column=${KEY%%,*}
  sql -c "CREATE TABLE ampload_bench_before (LIKE ampload_bench_template)" \
    -c "\\copy ampload_bench_before from '$replay' (format binary)" \
    -c "UPDATE ampload_bench_before SET \"$shift_column\" = \"$shift_column\" + 1000000000000
        WHERE (ctid::text::point)[1]::int % 10 <> 0" \
    -c "CREATE UNIQUE INDEX ON ampload_bench_before ($(quoted_key))" \
    -c "VACUUM FULL ampload_bench_before"
}
fill_before() {
  sql -c "CREATE TABLE ampload_bench (LIKE ampload_bench_before INCLUDING INDEXES)" \
    -c "INSERT INTO ampload_bench SELECT * FROM ampload_bench_before"
  sql -c "VACUUM ANALYZE ampload_bench"
}

upsert_ampload() { run_own ampload upsert --key "$KEY"; }
upsert_psql() {
  local columns assignments
  columns=$(sql -c "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid =
    'ampload_bench'::regclass AND attnum > 0")
  assignments=$(sql -c "SELECT string_agg(format('%I = EXCLUDED.%I', attname, attname), ',') FROM
    pg_attribute WHERE attrelid = 'ampload_bench'::regclass AND attnum > 0 AND attname <> ALL
    (string_to_array('$KEY', ','))")
  measure "psql, by hand" "$rows" "$psql" -X -q -v ON_ERROR_STOP=1 -d "$url" -c "BEGIN" \
    -c "CREATE TEMPORARY TABLE stage (LIKE ampload_bench) ON COMMIT DROP" \
    -c "\\copy stage from '$replay' (format binary)" \
    -c "INSERT INTO ampload_bench ($columns) SELECT $columns FROM stage
        ON CONFLICT ($(quoted_key)) DO UPDATE SET $assignments" \
    -c "COMMIT"
}

run_upserts() {
  local who i expected
  prepare_upserts
  echo "bench: $pairs times an upsert by ampload, and by hand" >&2
  for ((i = 0; i < pairs; ++i)); do
    for who in ampload psql; do
      start_afresh
      fill_before
      settle
      "upsert_$who" >>"$results"
      [ -n "${expected:-}" ] || expected=$(sql -c "SELECT count(*) FROM ampload_bench")
      check_rows "$expected" "$who"
    done
  done
  sql -c "DROP TABLE ampload_bench_before"
  echo "postgresql: upsert of $rows rows into as many; in the end $expected"
  report compare "$results"
  echo
}

run_commits() {
  local first=$scratch/first.bin
  start_afresh
  make_empty
  sql -c "\\copy ampload_bench from '$replay' (format binary)" \
    -c "\\copy (SELECT * FROM ampload_bench LIMIT 1000) to '$first' (format binary)"
  echo "bench: $COMMITS commits of 1,000 rows by ampload, psql and adbc" >&2
  start_afresh
  make_empty
  run_own "ampload, loads" loads --commits "$COMMITS" >>"$results"
  start_afresh
  run_own "ampload, stream" commits --commits "$COMMITS" >>"$results"
  start_afresh
  make_empty
  "$venv/bin/python" bench/postgresql/replay_commits.py "$url" ampload_bench "$first" "$COMMITS" \
    "$psql" >>"$results"
  start_afresh
  "$venv/bin/python" bench/postgresql/adbc_ingest.py "$url" "$data" ampload_bench "$COMMITS" \
    >>"$results" 2>"$scratch/run.err" || echo "adbc cannot load this"
  echo "postgresql: commits of 1,000 rows"
  report commits "$results"
  echo
}

# --without-pip: Debian's python3 has pip's own wheel in another package.
prepare_venv() {
  venv=$WORK/venv
  local wanted=bench/postgresql/requirements.txt
  cmp -s "$wanted" "$venv/installed.txt" && return
  echo "bench: installing the peers in $venv" >&2
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
