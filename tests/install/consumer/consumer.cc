// A program outside the project: loads a batch through a loader of the registry and reads it back.

#include <amp/loader.h>
#include <arrow/api.h>

#include <iostream>

namespace {

amp::Status Run(const std::string& url) {
  arrow::Int64Builder numbers;
  ARROW_RETURN_NOT_OK(numbers.AppendValues({1, 2, 3}));
  ARROW_ASSIGN_OR_RAISE(auto column, numbers.Finish());
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), 3, {column});
  ARROW_ASSIGN_OR_RAISE(const auto loader, amp::Registry::Global().MakeFromUrl(url));
  ARROW_ASSIGN_OR_RAISE(const amp::Session session, loader->Open());
  const amp::LoadResult result = session->LoadBatch(*batch, "numbers");
  std::cout << result.ToJson() << "\n";
  ARROW_RETURN_NOT_OK(result.status);
  ARROW_ASSIGN_OR_RAISE(const auto reader, session->ReadTable("numbers"));
  ARROW_ASSIGN_OR_RAISE(const auto rows, reader->ToTable());
  return rows->num_rows() == 3 ? amp::Status::OK() : amp::Status::Invalid("rows are missing");
}

}  // namespace

int main(int argc, char** argv) {
  const amp::Status status = argc == 2 ? Run(argv[1]) : amp::Status::Invalid("give a URL");
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
