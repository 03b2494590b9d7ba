#include "storage/s3_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "amp/config.h"

namespace amp::storage {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

const std::map<std::string, std::string S3Config::*, std::less<>>& TextOptions() {
  static const std::map<std::string, std::string S3Config::*, std::less<>> options{
      {"endpoint", &S3Config::endpoint},
      {"endpoint_url", &S3Config::endpoint},
      {"region", &S3Config::region},
      {"default_region", &S3Config::region},
      {"access_key_id", &S3Config::access_key_id},
      {"secret_access_key", &S3Config::secret_access_key},
      {"session_token", &S3Config::session_token},
      {"token", &S3Config::session_token},
      {"profile", &S3Config::profile},
      {"tls_ca_file", &S3Config::tls_ca_file},
      {"ca_bundle", &S3Config::tls_ca_file}};
  return options;
}

Result<bool> ParseFlag(const std::string& name, const std::string& value) {
  const std::string text = Lower(value);
  if (text == "true" || text == "1" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "no") return false;
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("storage option '{}' is true or false, not '{}'", name, value));
}

// Plain HTTP follows from the endpoint, and puts are conditional always.
bool IsImplied(const std::string& name) {
  return name == "allow_http" || name == "conditional_put" || name == "s3_allow_unsafe_rename";
}

Status SetOption(const std::string& given, const std::string& value, S3Config* config) {
  std::string name = Lower(given);
  if (name.starts_with("aws_")) name = name.substr(4);
  if (const auto text = TextOptions().find(name); text != TextOptions().end()) {
    config->*text->second = value;
    return Status::OK();
  }
  if (IsImplied(name)) return Status::OK();
  if (name == "skip_signature") return ParseFlag(given, value).Value(&config->anonymous);
  if (name == "virtual_hosted_style_request") {
    ARROW_ASSIGN_OR_RAISE(const bool hosted, ParseFlag(given, value));
    config->path_style = !hosted;
    return Status::OK();
  }
  if (name == "path_style") {
    ARROW_ASSIGN_OR_RAISE(config->path_style, ParseFlag(given, value));
    return Status::OK();
  }
  std::vector<std::string> names{"skip_signature", "virtual_hosted_style_request", "path_style"};
  for (const auto& [known, member] : TextOptions()) names.push_back(known);
  const std::string nearest = NearestName(name, names);
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("there is no storage option '{}' for s3; {}", given,
                               nearest.empty() ? fmt::format("there are: {}, each also with aws_ "
                                                             "before it",
                                                             fmt::join(names, ", "))
                                               : fmt::format("did you mean '{}'?", nearest)));
}

}  // namespace

Result<S3Config> ParseS3Options(const std::map<std::string, std::string>& options) {
  S3Config config;
  for (const auto& [name, value] : options) ARROW_RETURN_NOT_OK(SetOption(name, value, &config));
  return config;
}

}  // namespace amp::storage
