# Streams from a simulated server, at microbatches of 1, 10 and 100 blocks, beside loading the same
# rows in bulk. Sourced by bench/run.
# shellcheck shell=bash disable=SC2034,SC2154

source bench/support/server.sh

MEMORY_ROWS=${AMPLOAD_BENCH_MEMORY_ROWS:-20000000}

run_benchmark() {
  [ ${#memory[@]} -eq 0 ] || die "--memory is not for 'stream'"
  ! wants postgresql || prepare_postgresql
  make_bulk_file
  local name
  for name in "${targets[@]}"; do
    case $name in
      postgresql) run_pairs postgresql "$url" --target-pid "$server_pid" ;;
      *) run_pairs "$name" "$name:$scratch/$name" ;;
    esac
  done
  for name in "${targets[@]}"; do
    case $name in
      postgresql) run_memory postgresql "$url" ;;
      *) run_memory "$name" "$name:$scratch/$name" ;;
    esac
  done
}

prepare_postgresql() {
  find_postgresql
  [ -z "${AMPLOAD_BENCH_POSTGRESQL_URL:-}" ] || die "'stream' needs a server of its own, to see what
  it costs: unset AMPLOAD_BENCH_POSTGRESQL_URL"
  start_server
  server_pid=$(head -n 1 "$server/data/postmaster.pid")
}

# measure_stream WHO BLOCKS ROWS OPTION ... -- COMMAND ...; 0 blocks: without the simulated server.
measure_stream() {
  local who=$1 blocks=$2 rows=$3
  shift 3
  python3 bench/stream/measure_stream.py --ampload "$BUILD/ampload" --who "$who" \
    --blocks "$blocks" --rows "$rows" "$@"
}

# The rows in the batches in which they come at 100 blocks, as an Arrow file: reading that costs no
# more than receiving them.
make_bulk_file() {
  bulk=$scratch/bulk.arrow
  echo "bench: making $rows rows" >&2
  measure_stream client 100 "$rows" -- "$BUILD/bench_stream_client" --from '{from}' \
    --query '{query}' --until '{until}' --out "$bulk" >/dev/null
}

start_afresh() {
  case $1 in
    postgresql)
      "$BUILD/ampload" reset --yes --quiet --to "$url" --table ampload_bench >/dev/null
      sql -c "SET client_min_messages = error" -c "DROP TABLE IF EXISTS ampload_bench"
      sql -c CHECKPOINT ;;
    *) rm -rf "${scratch:?}/$1" ;;
  esac
  sync
}

run_stream() {
  local name=$1 to=$2 blocks=$3 rows=$4
  shift 4
  start_afresh "$name"
  measure_stream "stream, $blocks blocks" "$blocks" "$rows" "$@" -- "$BUILD/ampload" \
    --output json --quiet stream --from '{from}' --query '{query}' --until '{until}' --to "$to" \
    --table ampload_bench
}

run_bulk() {
  local name=$1 to=$2
  shift 2
  start_afresh "$name"
  measure_stream bulk 0 "$rows" "$@" -- "$BUILD/ampload" --output json --quiet load --from "$bulk" \
    --to "$to" --table ampload_bench
}

run_client() {
  measure_stream "client only, $1 blocks" "$1" "$rows" -- "$BUILD/bench_stream_client" \
    --from '{from}' --query '{query}' --until '{until}'
}

# run_pairs NAME TARGET OPTION ...
run_pairs() {
  local name=$1 i blocks
  echo "bench: $pairs times $name in bulk, streamed, and a client that only reads" >&2
  : >"$results"
  for ((i = 0; i < pairs; ++i)); do
    run_bulk "$@" >>"$results"
    for blocks in 100 10 1; do
      run_stream "$1" "$2" "$blocks" "$rows" "${@:3}" >>"$results"
      # Once is enough: it does not write to any target.
      [ "$name" != "${targets[0]}" ] || run_client "$blocks" >>"$results"
    done
  done
  echo "$name: $rows rows, load average $(cut -d' ' -f1 /proc/loadavg)"
  report stream "$results"
  echo
}

# run_memory NAME TARGET: of one long stream at 100 blocks.
run_memory() {
  run_stream "$1" "$2" 100 "$MEMORY_ROWS" --memory >"$results"
  echo "$1: memory of a stream of $MEMORY_ROWS rows"
  report quarters "$results"
  echo
}
