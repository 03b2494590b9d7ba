#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "loaders/lmdb/environment.h"

/// Single entries and runs of keys, within a transaction. What is returned points into the
/// database, and is good until the transaction writes or ends.
namespace amp::lmdb {

struct Entry {
  std::string_view key;
  std::string_view value;
};

Result<std::optional<std::string_view>> GetEntry(const Txn& txn, MDB_dbi dbi, std::string_view key);
Status PutEntry(const Txn& txn, MDB_dbi dbi, std::string_view key, std::string_view value);
/// Returns whether it was there.
Result<bool> EraseEntry(const Txn& txn, MDB_dbi dbi, std::string_view key);

/// The entry with the largest key below `end` that is not below `from`.
Result<std::optional<Entry>> LastEntry(const Txn& txn, MDB_dbi dbi, std::string_view from,
                                       std::string_view end);

/// Calls `visit` for the keys from `from` on and below `end`, in order. It must not write.
Status VisitEntries(const Txn& txn, MDB_dbi dbi, std::string_view from, std::string_view end,
                    const std::function<Status(const Entry&)>& visit);
/// Removes the same keys; returns how many there were.
Result<int64_t> EraseEntries(const Txn& txn, MDB_dbi dbi, std::string_view from,
                             std::string_view end);

/// Keys of what belongs to a table: its name, 00, and what tells its entries apart, numbers
/// big-endian: "logs" 00 00000000000002a7 00000000.
std::string TableKey(std::string_view table, std::string_view rest = {});
/// Above all keys of the table: no name has a 00 in it.
std::string TableEnd(std::string_view table);
std::string BatchKey(std::string_view table, uint64_t batch_id);
std::string ChunkKey(std::string_view table, uint64_t batch_id, uint32_t chunk);

/// The first id of the slot after this one.
constexpr uint64_t SlotLimit(int32_t slot) { return uint64_t(slot + 1) << 48; }

}  // namespace amp::lmdb
