#pragma once

#include <functional>
#include <map>
#include <string>

#include "amp/error.h"
#include "amp/export.h"

namespace amp::storage {

/// A variable of the environment; empty where it is not set.
using Environment = std::function<std::string(const char* name)>;
/// That of this process.
AMP_EXPORT Environment ProcessEnvironment();

/// A profile's settings (aws_access_key_id, region, …) from ~/.aws/config and ~/.aws/credentials,
/// or what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name; the latter goes before the former.
/// Empty where neither file has the profile.
using Profile = std::map<std::string, std::string>;
Profile ReadProfile(const std::string& name, const Environment& environment);

/// The profile in use: `given`, else AWS_PROFILE, else "default".
std::string ProfileName(const std::string& given, const Environment& environment);

}  // namespace amp::storage
