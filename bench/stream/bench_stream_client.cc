// A client that only reads, to see what the server of a stream and the network cost: --from URL
// --query SQL --until BLOCK [--out FILE]. With --out, the rows go to an Arrow file, for loading the
// same ones in bulk. Prints what reading them has cost.

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>

#include "amp/amp_source.h"
#include "amp/stream_source.h"
#include "support/arguments.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

using Writer = std::shared_ptr<arrow::ipc::RecordBatchWriter>;

Result<Writer> OpenFile(const Arguments& arguments, const std::shared_ptr<arrow::Schema>& schema) {
  const auto path = arguments.Text("out");
  if (!path.ok()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(*path));
  return arrow::ipc::MakeFileWriter(std::move(file), schema);
}

// Rows until `last` is complete.
Result<int64_t> ReadUntil(StreamConnection* connection, uint64_t last, const Writer& writer) {
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto message, connection->Next());
    if (!message) return Status::Invalid("the stream ended before block ", last);
    if (message->batch != nullptr && message->batch->num_rows() > 0) {
      rows += message->batch->num_rows();
      if (writer != nullptr) ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*message->batch));
    }
    if (message->ranges_complete && message->ranges.front().end >= last) return rows;
  }
}

Status Run(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string url, arguments.Text("from"));
  ARROW_ASSIGN_OR_RAISE(const std::string query, arguments.Text("query"));
  ARROW_ASSIGN_OR_RAISE(const int64_t last, arguments.Count("until"));
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenAmpSource(url, query, {}));
  ARROW_ASSIGN_OR_RAISE(const auto connection, source->Connect({}));
  ARROW_ASSIGN_OR_RAISE(const Writer writer, OpenFile(arguments, connection->schema()));
  ARROW_ASSIGN_OR_RAISE(const int64_t rows,
                        ReadUntil(connection.get(), static_cast<uint64_t>(last), writer));
  if (writer != nullptr) ARROW_RETURN_NOT_OK(writer->Close());
  PrintRun("client", rows, stopwatch.Elapsed(), /*only_run=*/true);
  return Status::OK();
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Run); }
