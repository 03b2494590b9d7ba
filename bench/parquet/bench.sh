# Parquet files: Ampload beside Arrow's writer on one thread and beside delta-rs, all from memory to the
# disk; and what a commit of 1,000 rows costs. Sourced by bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

PARQUET_COMMITS=2000

run_benchmark() {
  [ ${#memory[@]} -eq 0 ] || die "--memory is for postgresql"
  prepare_venv
  local i
  for ((i = 0; i < pairs; ++i)); do
    "$BUILD/bench_parquet" --data "$data" --dir "$scratch" --pairs 1 --compression snappy \
      >>"$results"
    rm -rf "$scratch/delta"
    "$venv/bin/python" bench/parquet/delta_rs.py "$data" "$scratch/delta" snappy |
      sed 's/, "peak_mib": [0-9.]*//' >>"$results"
  done
  rm -rf "$scratch/delta"
  echo "parquet: $(basename "$data"), snappy, from memory to files on the disk"
  report compare "$results"
  echo
  "$BUILD/bench_parquet" --data "$data" --dir "$scratch" --commits "$PARQUET_COMMITS" \
    --compression snappy | sed -n 's/^\([0-9.]* ms\)/commits of 1,000 rows: \1/p'
}

# --without-pip: Debian's python3 has pip's own wheel in another package.
prepare_venv() {
  venv=$WORK/venv-parquet
  local wanted=bench/parquet/requirements.txt
  cmp -s "$wanted" "$venv/installed.txt" && return
  echo "bench: installing delta-rs in $venv" >&2
  python3 -m venv --clear --without-pip "$venv"
  python3 -m pip --python "$venv" install -q --disable-pip-version-check -r "$wanted" >&2
  cp "$wanted" "$venv/installed.txt"
}
