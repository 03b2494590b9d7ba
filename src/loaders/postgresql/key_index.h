#pragma once

#include <string>
#include <vector>

#include "amp/transaction.h"
#include "loaders/postgresql/connection.h"

/// Keys of upserts and merges.
namespace amp::postgresql {

/// ConfigInvalid for a mode that needs a key and has none, or has no use for the one given.
Status CheckKey(LoadMode mode, const std::vector<std::string>& key);
/// Whether the mode goes by key.
bool IsKeyed(LoadMode mode);

/// CREATE UNIQUE INDEX on the key.
std::string KeyIndexSql(const std::string& qualified, const std::vector<std::string>& key);
/// Whether a primary key or unique index is on exactly these columns.
Result<bool> HasKeyIndex(Connection& connection, const std::string& qualified,
                         const std::vector<std::string>& key);
/// Makes the index where there is none; ConfigInvalid where it may not be made.
Status EnsureKeyIndex(Connection& connection, const std::string& qualified,
                      const std::vector<std::string>& key, bool create_key);

/// DataInvalid, naming column and row, where a key column of the batch has a NULL: two of them
/// would not be the same key to the server. `first_row` is the batch's place in the load.
Status CheckNoNullKeys(const arrow::RecordBatch& batch, const std::vector<std::string>& key,
                       int64_t first_row);

/// "a", "b"
std::string QuotedList(const std::vector<std::string>& names, std::string_view prefix = {});

}  // namespace amp::postgresql
