// ampload demo: a sample chain file into the embedded store, in one screen.

#include <cstdlib>
#include <filesystem>

#include "amp/source.h"
#include "cli/command.h"
#include "cli/show_rows.h"
#include "core/text.h"
#include "sources/simulated/sample_chain.h"

namespace amp::cli {
namespace {

constexpr std::string_view kTable = "logs";
constexpr SampleChain kChain{.seed = 1, .blocks = 5000, .logs_per_block = 20};

/// A folder that is gone at the end.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Make() {
    std::string path = (std::filesystem::temp_directory_path() / "ampload-demo-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
      return MakeError(ErrorKind::kUnavailable,
                       fmt::format("no folder can be made in {}",
                                   std::filesystem::temp_directory_path().string()));
    }
    return TemporaryFolder(path);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  std::string file(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Status RunDemo() {
  ARROW_ASSIGN_OR_RAISE(const TemporaryFolder folder, TemporaryFolder::Make());
  const std::string file = folder.file("logs.parquet");
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, WriteSampleLogs(kChain, file));
  PrintLine(fmt::format("1. A sample chain: {} blocks, {} event logs, as a Parquet file of {}.",
                        Grouped(kChain.blocks), Grouped(rows),
                        HumanBytes(static_cast<int64_t>(std::filesystem::file_size(file)))));

  ARROW_ASSIGN_OR_RAISE(const FileSource source, OpenFiles({.paths = {file}}));
  const std::string url = "lmdb:" + folder.file("data");
  ARROW_ASSIGN_OR_RAISE(const auto loader, Registry::Global().MakeFromUrl(url));
  ARROW_ASSIGN_OR_RAISE(const Session session, loader->Open());
  const LoadResult result = session->LoadStream(source.reader, std::string(kTable));
  ARROW_RETURN_NOT_OK(result.status);
  PrintLine(fmt::format("2. Loaded into LMDB, in one transaction: {} rows in {:.2f} s, {} rows/s.",
                        Grouped(result.rows_loaded), result.duration_seconds,
                        Grouped(static_cast<int64_t>(result.rows_per_second))));

  PrintLine("3. The first rows, read back as Arrow:\n");
  ARROW_ASSIGN_OR_RAISE(const auto reader, session->ReadTable(std::string(kTable), {.limit = 5}));
  ARROW_RETURN_NOT_OK(ShowRows(reader.get(), /*json=*/false));

  ARROW_ASSIGN_OR_RAISE(const auto info, session->GetTableInfo(std::string(kTable)));
  if (!info || info->row_count != rows) {
    return MakeError(ErrorKind::kInternal, "the table does not hold the rows that were loaded");
  }
  PrintLine(fmt::format("\n4. The table: {} rows, {} columns, {}. All is removed again.",
                        Grouped(info->row_count), info->columns.size(),
                        HumanBytes(info->size_bytes)));
  PrintLine("\nYour own files:  ampload load --from FILES --table NAME [--to TARGET]");
  return Status::OK();
}

}  // namespace

void AddDemo(Context* context) {
  AddCommand(context, "demo", "Make a sample chain file, load it, show it", RunDemo);
}

}  // namespace amp::cli
