#pragma once

#include <map>
#include <string>

#include "amp/config.h"

namespace amp::cli {

/// A TOML file with named targets and sources, pipeline defaults, and what `ampload run` does:
///
///     [targets.prod]
///     url = "postgresql://loader@db.example.org/chain"
///     password = "${CHAIN_DB_PASSWORD}"
///     [sources.amp]
///     url = "grpc+tls://amp.example.org"
///     token = "${AMP_TOKEN}"
///     [pipeline]
///     memory = "128MiB"
///     [streams.logs]
///     from = "amp"
///     query = "SELECT * FROM eth.logs"
///     to = "prod"
///     [loads.history]
///     from = ["history/*.parquet"]
///     to = "prod"
///     table = "logs"
struct ConfigFile {
  std::string path;  ///< empty where there is no file
  std::map<std::string, ConfigMap> targets, sources, streams, loads;
  ConfigMap pipeline;
};

/// `path`, else AMPLOAD_CONFIG, else ./ampload.toml where that exists, else an empty one.
Result<ConfigFile> ReadConfigFile(const std::string& path);

}  // namespace amp::cli
