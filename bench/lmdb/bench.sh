# LMDB: Ampload beside mdb_put of the same keys and values. Sourced by bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

run_benchmark() {
  [ ${#memory[@]} -eq 0 ] || die "--memory is for postgresql"
  "$BUILD/bench_lmdb" --data "$data" --dir "$scratch" --pairs "$pairs" >"$results"
  echo "lmdb: $(basename "$data"), from memory to a committed database"
  report compare "$results"
}
