// Loads a file into a table of PostgreSQL through the library and prints what that cost, connecting
// and reading included: --url URL --data FILE --table NAME.

#include "amp/loader.h"
#include "amp/source.h"
#include "support/arguments.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

Status LoadOnce(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string url, arguments.Text("url"));
  ARROW_ASSIGN_OR_RAISE(const std::string path, arguments.Text("data"));
  ARROW_ASSIGN_OR_RAISE(const std::string table, arguments.Text("table"));
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const FileSource source, OpenFiles({.paths = {path}}));
  ARROW_ASSIGN_OR_RAISE(const auto loader, Registry::Global().MakeFromUrl(url));
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  const LoadResult result = session->LoadStream(source.reader, table);
  const Cost cost = stopwatch.Elapsed();
  ARROW_RETURN_NOT_OK(result.status);
  PrintRun("ampload", result.rows_loaded, cost, /*only_run=*/true);
  return Status::OK();
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::LoadOnce); }
