#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amp/error.h"

namespace amp {

/// The union of the files' columns, in the order in which they are first seen.
class SchemaUnion {
 public:
  /// SchemaMismatch for a column whose type differs between files.
  Status Add(const std::string& path, const arrow::Schema& schema);
  std::shared_ptr<arrow::Schema> Finish() const;

 private:
  Status AddField(const std::string& path, const std::shared_ptr<arrow::Field>& field);

  std::vector<std::pair<std::shared_ptr<arrow::Field>, std::string>> fields_;
  size_t files_ = 0;
};

}  // namespace amp
