#include "interop/real_files.h"

#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <filesystem>

namespace amp::testing {

namespace fs = std::filesystem;

std::vector<std::string> RealFiles() {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(AMPLOAD_TEST_DATA, error)) {
    if (entry.path().extension() == ".parquet") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string NameOf(const std::string& path) {
  const fs::path file(path);
  return file.parent_path().filename().string() + "_" + file.stem().string();
}

std::shared_ptr<arrow::Table> ReadParquet(const std::string& path) {
  auto input = *arrow::io::ReadableFile::Open(path);
  auto reader = *parquet::arrow::OpenFile(input, arrow::default_memory_pool());
  return *(*reader->ReadTable())->CombineChunks();
}

}  // namespace amp::testing
