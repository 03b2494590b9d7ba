#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "amp/export.h"

/// What a table's log is made of. Source: delta-io/delta PROTOCOL.md, "Actions".
namespace amp::delta {

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;
/// Values that may be null: of partition columns, and of tags.
using NullableMap = std::map<std::string, std::optional<std::string>>;

/// Where the rows that are deleted from a file are written down.
struct DeletionVectorDescriptor {
  std::string storage_type = {};       ///< "u": file beside the data; "p": anywhere; "i": inline
  std::string path_or_inline_dv = {};  ///< as in the log, still encoded
  std::optional<int32_t> offset = {};
  int32_t size_in_bytes = 0;
  int64_t cardinality = 0;
  std::optional<int64_t> max_row_index = {};

  /// The same for the same set of rows only.
  AMP_EXPORT std::string UniqueId() const;
  bool operator==(const DeletionVectorDescriptor&) const = default;
};

/// The path of a file, and what identifies the file in the log.
struct FileName {
  std::string path = {};  ///< decoded: below the table's folder, or an absolute URI
  /// The path's text in the log, where `EncodePath(path)` is another text. Who removes the file
  /// repeats it: some readers compare texts.
  std::string text = {};
  std::optional<DeletionVectorDescriptor> deletion_vector = {};

  /// Key of the logical file: path and deletion vector.
  AMP_EXPORT std::string Key() const;
  /// The path as it is written in the log.
  AMP_EXPORT std::string LogText() const;
  bool operator==(const FileName&) const = default;
};

struct Add {
  FileName file = {};
  NullableMap partition_values = {};
  int64_t size = 0;
  int64_t modification_time = 0;  ///< in Unix milliseconds
  bool data_change = true;
  std::string stats = {};  ///< JSON text; empty where there is none
  NullableMap tags = {};
  std::optional<int64_t> base_row_id = {};
  std::optional<int64_t> default_row_commit_version = {};
  std::optional<std::string> clustering_provider = {};

  bool operator==(const Add&) const = default;
};

struct Remove {
  FileName file = {};
  std::optional<int64_t> deletion_timestamp = {};  ///< in Unix milliseconds
  bool data_change = true;
  std::optional<bool> extended_file_metadata = {};
  std::optional<NullableMap> partition_values = {};
  std::optional<int64_t> size = {};
  std::string stats = {};
  NullableMap tags = {};
  std::optional<int64_t> base_row_id = {};
  std::optional<int64_t> default_row_commit_version = {};

  bool operator==(const Remove&) const = default;
};

struct Metadata {
  std::string id = {};
  std::optional<std::string> name = {};
  std::optional<std::string> description = {};
  std::string format_provider = "parquet";
  StringMap format_options = {};
  std::string schema_string = {};
  Strings partition_columns = {};
  std::optional<int64_t> created_time = {};
  StringMap configuration = {};

  bool operator==(const Metadata&) const = default;
};

struct Protocol {
  int32_t min_reader_version = 1;
  int32_t min_writer_version = 2;
  std::optional<Strings> reader_features = {};
  std::optional<Strings> writer_features = {};

  bool operator==(const Protocol&) const = default;
};

struct Txn {
  std::string app_id = {};
  int64_t version = 0;
  std::optional<int64_t> last_updated = {};

  bool operator==(const Txn&) const = default;
};

struct DomainMetadata {
  std::string domain = {};
  std::string configuration = {};
  bool removed = false;

  bool operator==(const DomainMetadata&) const = default;
};

/// Where a commit comes from. What has no member of its own here is in `others`.
struct CommitInfo {
  std::optional<int64_t> in_commit_timestamp = {};
  std::optional<int64_t> timestamp = {};
  std::string operation = {};
  std::string operation_parameters = {};  ///< JSON object text; empty where there is none
  std::string operation_metrics = {};     ///< the same
  std::optional<int64_t> read_version = {};
  std::string isolation_level = {};
  std::optional<bool> is_blind_append = {};
  std::string engine_info = {};
  std::string txn_id = {};
  StringMap others = {};  ///< name → JSON text of the value

  bool operator==(const CommitInfo&) const = default;
};

struct Cdc {
  std::string path;
  int64_t size = 0;

  bool operator==(const Cdc&) const = default;
};

struct CheckpointMetadata {
  int64_t version = 0;

  bool operator==(const CheckpointMetadata&) const = default;
};

struct Sidecar {
  std::string path;  ///< the name of a file in _delta_log/_sidecars
  int64_t size_in_bytes = 0;
  int64_t modification_time = 0;

  bool operator==(const Sidecar&) const = default;
};

/// An action that this version does not know, as it was.
struct UnknownAction {
  std::string name;
  std::string json;

  bool operator==(const UnknownAction&) const = default;
};

using Action = std::variant<CommitInfo, Protocol, Metadata, Txn, Add, Remove, DomainMetadata, Cdc,
                            CheckpointMetadata, Sidecar, UnknownAction>;

/// The `remove` that takes a file out of the table again.
AMP_EXPORT Remove RemoveOf(const Add& add, int64_t now_ms, bool data_change = true);

/// `numRecords` of a file's statistics; none where they do not say.
AMP_EXPORT std::optional<int64_t> NumRecords(std::string_view stats);

}  // namespace amp::delta
