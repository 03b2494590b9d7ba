#pragma once

#include <vector>

#include "core/row_hash.h"
#include "pipeline/verify.h"

namespace amp {

/// Counts rows and bytes of both sides, and looks whether to stop.
class VerifyProgress {
 public:
  explicit VerifyProgress(const VerifyOptions& options) : options_(options) {}
  /// Cancelled once the options say so.
  Status Count(const arrow::RecordBatch& batch);
  Status CheckStop() const;

 private:
  const VerifyOptions& options_;
  LoadProgress progress_;
};

/// The stream of that name; ConfigInvalid, naming those that there are.
Result<StreamState> FindStream(Loader* loader, const TableName& table, const std::string& name);

/// The sums of the rows that belong to each line of the stream's batch map. Rows after the last
/// line, of other streams and without an id are left out.
Result<std::vector<RowSum>> SumTarget(arrow::RecordBatchReader* reader, const StreamState& state,
                                      const RowForm& form, VerifyProgress* progress);

}  // namespace amp
