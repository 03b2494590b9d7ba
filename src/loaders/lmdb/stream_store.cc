#include "loaders/lmdb/stream_store.h"

#include <nlohmann/json.hpp>

#include "core/stream_state.h"
#include "loaders/lmdb/undo_log.h"

namespace amp::lmdb {
namespace {

// No table's: a table's name is not empty.
constexpr std::string_view kEpochKey{"\0epoch", 6};

Result<StoredStream> FromText(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(auto state, StreamStateFromText(text));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto id = json.find("table_id");
  const bool there = id != json.end() && id->is_string();
  return StoredStream{std::move(state), there ? id->get<std::string>() : ""};
}

std::string ToText(const StoredStream& stream) {
  auto json = nlohmann::ordered_json::parse(StreamStateToText(stream.state));
  json["table_id"] = stream.table_id;
  return json.dump();
}

uint64_t Unsigned(int64_t id) { return static_cast<uint64_t>(id); }

}  // namespace

Result<std::optional<StreamDatabases>> StreamDatabases::Find(Environment* environment,
                                                             bool create) {
  ARROW_ASSIGN_OR_RAISE(const auto streams, environment->Find(kStreamsDatabase, create));
  ARROW_ASSIGN_OR_RAISE(const auto batches, environment->Find(kBatchesDatabase, create));
  ARROW_ASSIGN_OR_RAISE(const auto undo, environment->Find(kUndoDatabase, create));
  if (!streams || !batches || !undo) return std::nullopt;
  return StreamDatabases{*streams, *batches, *undo};
}

Result<std::optional<StoredStream>> StreamStore::Read(const std::string& stream) const {
  ARROW_ASSIGN_OR_RAISE(const auto text,
                        GetEntry(*txn_, databases_.streams, TableKey(table_, stream)));
  if (!text) return std::nullopt;
  return FromText(*text);
}

Result<std::vector<StoredStream>> StreamStore::ReadAll() const {
  std::vector<StoredStream> streams;
  const auto add = [&streams](const Entry& entry) -> Status {
    ARROW_ASSIGN_OR_RAISE(auto stream, FromText(entry.value));
    streams.push_back(std::move(stream));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(
      VisitEntries(*txn_, databases_.streams, TableKey(table_), TableEnd(table_), add));
  std::sort(streams.begin(), streams.end(), [](const StoredStream& a, const StoredStream& b) {
    return a.state.slot < b.state.slot;
  });
  return streams;
}

Result<bool> StreamStore::Any() const {
  ARROW_ASSIGN_OR_RAISE(const auto last,
                        LastEntry(*txn_, databases_.streams, TableKey(table_), TableEnd(table_)));
  return last.has_value();
}

Status StreamStore::Write(const StoredStream& stream) const {
  return PutEntry(*txn_, databases_.streams, TableKey(table_, stream.state.name), ToText(stream));
}

Result<std::vector<BatchEntry>> StreamStore::ReadBatches(int32_t slot) const {
  std::vector<BatchEntry> entries;
  const auto add = [&entries](const Entry& entry) -> Status {
    ARROW_ASSIGN_OR_RAISE(auto batch, BatchEntryFromText(entry.value));
    entries.push_back(std::move(batch));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(VisitEntries(*txn_, databases_.batches,
                                   BatchKey(table_, Unsigned(SlotBase(slot))),
                                   BatchKey(table_, SlotLimit(slot)), add));
  return entries;
}

Status StreamStore::PutBatches(const std::vector<BatchEntry>& entries) const {
  for (const BatchEntry& entry : entries) {
    ARROW_RETURN_NOT_OK(EraseEntries(*txn_, databases_.batches,
                                     BatchKey(table_, Unsigned(entry.first_id)),
                                     BatchKey(table_, Unsigned(entry.last_id) + 1)));
    ARROW_RETURN_NOT_OK(PutEntry(*txn_, databases_.batches,
                                 BatchKey(table_, Unsigned(entry.last_id)),
                                 BatchEntryToText(entry)));
  }
  return Status::OK();
}

Status StreamStore::DropBatchesAfter(int32_t slot, int64_t batch_id) const {
  return EraseEntries(*txn_, databases_.batches, BatchKey(table_, Unsigned(batch_id) + 1),
                      BatchKey(table_, SlotLimit(slot)))
      .status();
}

Status StreamStore::Clear() const {
  ARROW_ASSIGN_OR_RAISE(int64_t epoch, EpochFloor());
  // States that are broken go, too: a reset is the way out.
  if (const auto streams = ReadAll(); streams.ok()) {
    for (const StoredStream& stream : *streams) epoch = std::max(epoch, stream.state.epoch);
  }
  for (const MDB_dbi dbi : {databases_.streams, databases_.batches, databases_.undo}) {
    ARROW_RETURN_NOT_OK(EraseEntries(*txn_, dbi, TableKey(table_), TableEnd(table_)));
  }
  return PutEntry(*txn_, databases_.streams, kEpochKey, std::to_string(epoch));
}

Result<int64_t> StreamStore::EpochFloor() const {
  ARROW_ASSIGN_OR_RAISE(const auto text, GetEntry(*txn_, databases_.streams, kEpochKey));
  int64_t epoch = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), epoch);
  return epoch;
}

Result<std::vector<StreamState>> ReadStates(const StreamStore& store) {
  ARROW_ASSIGN_OR_RAISE(auto streams, store.ReadAll());
  std::vector<StreamState> states;
  for (StoredStream& stream : streams) {
    states.push_back(std::move(stream.state));
    ARROW_ASSIGN_OR_RAISE(states.back().checkpoint.entries, store.ReadBatches(states.back().slot));
  }
  return states;
}

}  // namespace amp::lmdb
