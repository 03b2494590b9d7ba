// The files are as "Configuration and credential file settings" of the AWS CLI's guide has them:
// [NAME] in credentials, [profile NAME] (or [default]) in config, then `key = value`.

#include "storage/aws_profile.h"

#include <cstdlib>
#include <sstream>

#include "core/text.h"

namespace amp::storage {
namespace {

std::string Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::string SectionName(const std::string& line) {
  std::string name = Trim(line.substr(1, line.find(']') - 1));
  if (name.starts_with("profile ")) name = Trim(name.substr(8));
  return name;
}

void AddFrom(const std::string& path, const std::string& profile, Profile* settings) {
  const auto text = ReadTextFile(path);
  if (!text.ok()) return;
  std::istringstream lines(*text);
  bool inside = false;
  for (std::string raw; std::getline(lines, raw);) {
    const std::string line = Trim(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      inside = SectionName(line) == profile;
      continue;
    }
    const size_t equals = line.find('=');
    const bool nested = raw[0] == ' ' || raw[0] == '\t';  // belongs to the setting above it
    if (!inside || nested || equals == std::string::npos) continue;
    (*settings)[Trim(line.substr(0, equals))] = Trim(line.substr(equals + 1));
  }
}

std::string PathOf(const char* variable, const char* name, const Environment& environment) {
  const std::string given = environment(variable);
  return given.empty() ? environment("HOME") + "/.aws/" + name : given;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

Profile ReadProfile(const std::string& name, const Environment& environment) {
  Profile settings;
  AddFrom(PathOf("AWS_CONFIG_FILE", "config", environment), name, &settings);
  AddFrom(PathOf("AWS_SHARED_CREDENTIALS_FILE", "credentials", environment), name, &settings);
  return settings;
}

std::string ProfileName(const std::string& given, const Environment& environment) {
  if (!given.empty()) return given;
  const std::string named = environment("AWS_PROFILE");
  return named.empty() ? "default" : named;
}

}  // namespace amp::storage
