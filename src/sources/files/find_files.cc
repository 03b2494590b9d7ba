#include "sources/files/find_files.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "sources/files/data_file.h"
#include "sources/files/find_objects.h"

namespace amp {
namespace {

namespace fs = std::filesystem;

Status NoFiles(const std::string& path, std::string_view why) {
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kSource, .target = path},
                   fmt::format("source '{}': {}", path, why));
}

bool IsHidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name.starts_with('_');
}

Status AddDirectory(const std::string& directory, std::vector<std::string>* files) {
  const size_t before = files->size();
  std::error_code error;
  fs::recursive_directory_iterator it(directory, error), end;
  for (; !error && it != end; it.increment(error)) {
    if (IsHidden(it->path())) {
      if (it->is_directory(error)) it.disable_recursion_pending();
    } else if (it->is_regular_file(error) && FormatOfName(it->path().string())) {
      files->push_back(it->path().string());
    }
  }
  if (error) return NoFiles(directory, fmt::format("cannot be listed: {}", error.message()));
  if (files->size() == before) {
    return NoFiles(directory, "the directory has no .parquet, .arrow, .csv or .jsonl files");
  }
  std::sort(files->begin() + static_cast<ptrdiff_t>(before), files->end());
  return Status::OK();
}

Status AddGlob(const std::string& pattern, std::vector<std::string>* files) {
  glob_t found{};
  const int code = glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found);
  std::vector<std::string> matches(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (code != 0 || matches.empty()) return NoFiles(pattern, "no file matches");
  for (const std::string& match : matches) {
    if (fs::is_directory(match)) {
      ARROW_RETURN_NOT_OK(AddDirectory(match, files));
    } else {
      files->push_back(match);
    }
  }
  return Status::OK();
}

Status AddPath(const std::string& path, std::vector<std::string>* files) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return AddDirectory(path, files);
  if (fs::exists(status)) {
    files->push_back(path);
    return Status::OK();
  }
  if (path.find_first_of("*?[{") != std::string::npos) return AddGlob(path, files);
  if (error && error != std::errc::no_such_file_or_directory) {
    return NoFiles(path, error.message());
  }
  return NoFiles(path, "there is no such file or directory");
}

}  // namespace

Result<std::vector<std::string>> FindFiles(InputFiles* inputs,
                                           const std::vector<std::string>& paths) {
  if (paths.empty()) return MakeError(ErrorKind::kConfigInvalid, "no source is given");
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (path == kStandardInput) {
      if (paths.size() > 1) {
        return MakeError(ErrorKind::kConfigInvalid,
                         "standard input ('-') cannot be read together with files");
      }
      files.push_back(path);
    } else if (InputFiles::IsRemote(path)) {
      ARROW_ASSIGN_OR_RAISE(const auto found, FindObjects(inputs, path));
      files.insert(files.end(), found.begin(), found.end());
    } else {
      ARROW_RETURN_NOT_OK(AddPath(path.starts_with("file://") ? path.substr(7) : path, &files));
    }
  }
  return files;
}

}  // namespace amp
