#include "loaders/lmdb/undo_lines.h"

#include "core/cell_encoder.h"
#include "loaders/lmdb/entries.h"

namespace amp::lmdb {
namespace {

constexpr char kRunLine = 'r';
constexpr uint32_t kNone = UINT32_MAX;
constexpr size_t kPutHeader = sizeof(uint16_t) + sizeof(uint32_t) + sizeof(uint64_t);

Status Broken() {
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                   "an entry of '_amp_undo' is broken: restore the database from a copy, or begin "
                   "the table anew with ampload reset");
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

// Takes `size` bytes off the front.
std::optional<std::string_view> Take(size_t size, std::string_view* text) {
  if (text->size() < size) return std::nullopt;
  const std::string_view taken = text->substr(0, size);
  text->remove_prefix(size);
  return taken;
}

Result<PutRecord> TakePut(std::string_view* line) {
  const auto header = Take(kPutHeader, line);
  if (!header) return Broken();
  const auto key_size = Get<uint16_t>(Bytes(*header));
  const auto before_size = Get<uint32_t>(Bytes(*header) + 2);
  PutRecord put{.key = {}, .hash = Get<uint64_t>(Bytes(*header) + 6), .before = {}};
  const auto key = Take(key_size, line);
  if (!key) return Broken();
  put.key = *key;
  if (before_size == kNone) return put;
  put.before = Take(before_size, line);
  if (!put.before) return Broken();
  return put;
}

// Bits of one word spread over all of it; constants from the finisher of MurmurHash3
// (https://github.com/aappleby/smhasher, public domain).
uint64_t Mix(uint64_t word) {
  word = (word ^ (word >> 33)) * 0xff51afd7ed558ccdULL;
  word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return word ^ (word >> 33);
}

}  // namespace

std::string RunsToLine(const std::vector<RowRun>& runs) {
  std::string line(1 + runs.size() * sizeof(RowRun), kRunLine);
  auto* out = reinterpret_cast<uint8_t*>(line.data()) + 1;
  for (const RowRun& run : runs) out = Put(run.last, Put(run.first, out));
  return line;
}

bool IsRunLine(std::string_view line) { return line.starts_with(kRunLine); }

Result<std::vector<RowRun>> RunsFromLine(std::string_view line) {
  if (!IsRunLine(line) || line.size() % sizeof(RowRun) != 1) return Broken();
  std::vector<RowRun> runs;
  for (line.remove_prefix(1); !line.empty(); line.remove_prefix(sizeof(RowRun))) {
    runs.push_back({Get<uint64_t>(Bytes(line)), Get<uint64_t>(Bytes(line) + sizeof(uint64_t))});
  }
  return runs;
}

void AppendPut(const PutRecord& put, std::string* line) {
  uint8_t header[kPutHeader];
  uint8_t* out = Put(static_cast<uint16_t>(put.key.size()), header);
  out = Put(put.before ? static_cast<uint32_t>(put.before->size()) : kNone, out);
  Put(put.hash, out);
  if (line->empty()) line->push_back(kPutLine);
  line->append(reinterpret_cast<const char*>(header), kPutHeader);
  line->append(put.key);
  if (put.before) line->append(*put.before);
}

Result<std::vector<PutRecord>> PutsFromLine(std::string_view line) {
  if (!line.starts_with(kPutLine)) return Broken();
  std::vector<PutRecord> puts;
  for (line.remove_prefix(1); !line.empty();) {
    ARROW_ASSIGN_OR_RAISE(const PutRecord put, TakePut(&line));
    puts.push_back(put);
  }
  return puts;
}

uint64_t HashOf(std::string_view value) {
  uint64_t hash = Mix(value.size() + 1);
  for (; value.size() >= sizeof(uint64_t); value.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, value.data(), sizeof(word));
    hash = Mix(hash ^ word) + word;
  }
  uint64_t rest = 0;
  if (!value.empty()) std::memcpy(&rest, value.data(), value.size());
  return Mix(hash ^ rest);
}

}  // namespace amp::lmdb
