# Undoing the newest 2,000 rows of a small and of a large table, straight after loading. Sourced by
# bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

source bench/support/server.sh

UNDO_SMALL=200000
UNDO_LARGE=5000000

run_benchmark() {
  [ ${#memory[@]} -eq 0 ] || die "--memory is not for 'undo'"
  ! wants postgresql || prepare_postgresql
  local mode
  for mode in "${modes[@]}"; do
    ! wants postgresql || run_undo "postgresql, $mode" "$url" "$mode"
    ! wants lmdb || run_undo "lmdb, $mode" "lmdb:$scratch/lmdb" "$mode"
    # Streams into Delta tables are appended only.
    ! wants delta || [ "$mode" != append ] || run_undo "delta" "delta:$scratch/delta" "$mode"
  done
}

prepare_postgresql() {
  find_postgresql
  url=${AMPLOAD_BENCH_POSTGRESQL_URL:-}
  # What undo finds must come from Ampload alone.
  [ -n "$url" ] || start_server "-c autovacuum=off"
}

run_undo() {
  echo "bench: $1, $pairs pairs" >&2
  "$BUILD/bench_undo" --url "$2" --mode "$3" --small "$UNDO_SMALL" --large "$UNDO_LARGE" \
    --pairs "$pairs" >"$results"
  rm -rf "$scratch/lmdb" "$scratch/delta"
  echo "$1: undo of the newest 2,000 rows"
  report undo "$results"
  echo
}
