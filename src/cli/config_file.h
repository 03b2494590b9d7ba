#pragma once

#include <map>
#include <string>

#include "amp/config.h"

namespace amp::cli {

/// A TOML file with named targets and pipeline defaults:
///
///     [targets.prod]
///     url = "postgresql://loader@db.example.org/chain"
///     password = "${CHAIN_DB_PASSWORD}"
///     [pipeline]
///     memory = "128MiB"
struct ConfigFile {
  std::string path;  ///< empty where there is no file
  std::map<std::string, ConfigMap> targets;
  ConfigMap pipeline;
};

/// `path`, else AMPLOAD_CONFIG, else ./ampload.toml where that exists, else an empty one.
Result<ConfigFile> ReadConfigFile(const std::string& path);

}  // namespace amp::cli
