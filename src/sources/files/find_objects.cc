#include "sources/files/find_objects.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include "sources/files/data_file.h"

namespace amp {
namespace {

using Strings = std::vector<std::string>;

Status NoFiles(const std::string& name, std::string_view why) {
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kSource, .target = name},
                   fmt::format("source '{}': {}", name, why));
}

/// Does a part of the path begin with '.' or '_'?
bool IsHidden(std::string_view path) {
  for (size_t at = 0; at < path.size(); ++at) {
    const bool begins = at == 0 || path[at - 1] == '/';
    if (begins && (path[at] == '.' || path[at] == '_')) return true;
  }
  return false;
}

/// A file that a search through a folder finds; `inside` is its path there.
bool IsFound(std::string_view inside) { return !IsHidden(inside) && FormatOfName(inside); }

/// a{b,c}d → abd, acd; braces may hold braces.
void ExpandBraces(const std::string& pattern, Strings* out) {
  const size_t open = pattern.find('{');
  int depth = 0;
  Strings choices(1);
  for (size_t at = open; at < pattern.size(); ++at) {
    const char c = pattern[at];
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (depth == 0) {
      for (const std::string& choice : choices) {
        ExpandBraces(pattern.substr(0, open) + choice + pattern.substr(at + 1), out);
      }
      return;
    }
    if (at == open) continue;
    if (c == ',' && depth == 1) {
      choices.emplace_back();
    } else {
      choices.back() += c;
    }
  }
  out->push_back(pattern);  // no brace, or one without an end
}

/// The part of a name up to the last '/' before its first wildcard.
std::string FolderOf(const std::string& pattern) {
  return pattern.substr(0, pattern.rfind('/', pattern.find_first_of("*?[{")) + 1);
}

/// How much of `name` the pattern stands for: all, a folder above it, or nothing.
size_t Matched(const std::string& pattern, const std::string& name) {
  constexpr int kFlags = FNM_PATHNAME | FNM_PERIOD;
  if (fnmatch(pattern.c_str(), name.c_str(), kFlags) == 0) return name.size();
  for (size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    if (fnmatch(pattern.c_str(), name.substr(0, slash).c_str(), kFlags) == 0) return slash + 1;
  }
  return 0;
}

bool Matches(const Strings& patterns, const std::string& name) {
  for (const std::string& pattern : patterns) {
    const size_t matched = Matched(pattern, name);
    if (matched == name.size() || (matched > 0 && IsFound(name.substr(matched)))) return true;
  }
  return false;
}

Result<Strings> FindByPattern(InputFiles* files, const std::string& name) {
  Strings patterns, found;
  ExpandBraces(name, &patterns);
  ARROW_ASSIGN_OR_RAISE(const Strings all, files->ListObjects(FolderOf(name)));
  for (const std::string& object : all) {
    if (Matches(patterns, object)) found.push_back(object);
  }
  if (found.empty()) return NoFiles(name, "no object matches");
  return found;
}

Result<Strings> FindInFolder(InputFiles* files, std::string name) {
  if (!name.ends_with('/')) name += '/';
  ARROW_ASSIGN_OR_RAISE(const Strings all, files->ListObjects(name));
  Strings found;
  for (const std::string& object : all) {
    if (IsFound(std::string_view(object).substr(name.size()))) found.push_back(object);
  }
  if (!found.empty()) return found;
  return NoFiles(name, all.empty() ? "there is no such object or folder"
                                   : "the folder has no .parquet, .arrow, .csv or .jsonl files");
}

}  // namespace

Result<Strings> FindObjects(InputFiles* files, const std::string& name) {
  const auto find = [&]() -> Result<Strings> {
    ARROW_ASSIGN_OR_RAISE(const bool exists, files->ObjectExists(name));
    if (exists) return Strings{name};
    const bool pattern = name.find_first_of("*?[{") != std::string::npos;
    return pattern ? FindByPattern(files, name) : FindInFolder(files, name);
  };
  auto found = find();
  ARROW_RETURN_NOT_OK(WithSide(found.status(), ErrorSide::kSource));
  return found;
}

}  // namespace amp
