#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "amp/error.h"

/// Schemas, and batches brought to another schema's shape.
namespace amp {

/// The schema without encodings that only exist in memory: a dictionary, run-end encoded, view or
/// extension type becomes the plain type of its values, also inside nested types; metadata goes.
/// Unsupported, naming the column, where there is no plain type (unions).
AMP_EXPORT Result<std::shared_ptr<arrow::Schema>> PlainSchema(const arrow::Schema& schema);

/// The batch's values in the layout of its PlainSchema. Returns the columns as they are where they
/// are plain already.
AMP_EXPORT Result<std::shared_ptr<arrow::RecordBatch>> ToPlain(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& plain);

/// For each field of `have`, its place in `incoming`; SchemaMismatch names every column that is
/// missing, new, or of another type, and says whose it is.
AMP_EXPORT Result<std::vector<int>> MatchColumns(const arrow::Schema& have,
                                                 const arrow::Schema& incoming,
                                                 const std::string& table);

/// A schema as an Arrow IPC message in base64, and back. Trusts nothing.
AMP_EXPORT std::string SchemaToText(const arrow::Schema& schema);
AMP_EXPORT Result<std::shared_ptr<arrow::Schema>> SchemaFromText(const std::string& text);

/// "a; b; … and 3 more": the first few of many, for messages.
AMP_EXPORT std::string FirstFew(const std::vector<std::string>& parts);

}  // namespace amp
