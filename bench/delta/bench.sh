# Delta Lake: Ampload beside Arrow's Parquet writer on one thread, which is the limit, and beside
# delta-rs, all from memory; commits of 1,000 rows; memory of long loads. Sourced by bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

COMMITS=${AMPLOAD_BENCH_COMMITS:-2000}
PEER_COMMITS=${AMPLOAD_BENCH_PEER_COMMITS:-$COMMITS}
COMPRESSION=snappy

run_benchmark() {
  if [ ${#memory[@]} -gt 0 ]; then run_memory; return; fi
  prepare_venv
  run_loads
  run_commits
}

start_afresh() {
  rm -rf "$scratch/delta"
  mkdir "$scratch/delta"
}

# run_own RUN OPTION ...
run_own() {
  start_afresh
  "$BUILD/bench_delta" --data "$data" --dir "$scratch/delta" --compression "$COMPRESSION" --run "$@"
}

run_peer() {
  start_afresh
  "$python" bench/delta/delta_rs.py "$data" "$scratch/delta/bench" "$COMPRESSION" "$@"
}

# Each in a process of its own, which finds no memory that others have made ready.
run_loads() {
  echo "bench: $pairs times ampload, arrow, delta-rs" >&2
  local i
  for ((i = 0; i < pairs; ++i)); do
    run_own ampload >>"$results"
    run_own arrow >>"$results"
    run_peer >>"$results"
  done
  echo "delta: $(basename "$data"), $COMPRESSION, from memory to a table; peak memory is with the rows"
  report compare "$results"
  echo
}

run_commits() {
  echo "bench: $COMMITS commits by ampload, in loads and in a stream, $PEER_COMMITS by delta-rs" >&2
  run_own stream --commits "$COMMITS" >"$results"
  run_own load --commits "$COMMITS" >>"$results"
  run_peer "$PEER_COMMITS" >>"$results"
  echo "delta: commits of 1,000 rows; those of delta-rs are not synced"
  report commits "$results"
}

# --without-pip: Debian's python3 has pip's own wheel in another package.
prepare_venv() {
  python=${AMPLOAD_BENCH_PYTHON:-}
  [ -z "$python" ] || return 0
  local venv=$WORK/venv-delta wanted=bench/delta/requirements.txt
  python=$venv/bin/python
  cmp -s "$wanted" "$venv/installed.txt" && return
  echo "bench: installing delta-rs in $venv" >&2
  python3 -m venv --clear --without-pip "$venv"
  python3 -m pip --python "$venv" install -q --disable-pip-version-check -r "$wanted" >&2
  cp "$wanted" "$venv/installed.txt"
}

rows_of_table() {
  "$BUILD/ampload" --output json info --to "delta:$scratch/delta" --table bench |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["row_count"])'
}

run_memory() {
  local file i rows
  for ((i = 0; i < pairs; ++i)); do
    for file in "${memory[@]}"; do
      start_afresh
      measure "$(basename "$file")" 0 "$BUILD/ampload" load --quiet --from "$file" \
        --to "delta:$scratch/delta" --table bench >"$scratch/run.json"
      rows=$(rows_of_table)
      sed "s/\"rows\": 0/\"rows\": $rows/" "$scratch/run.json" >>"$results"
    done
  done
  echo "delta: most memory of 'ampload load'"
  report memory "$results"
}
