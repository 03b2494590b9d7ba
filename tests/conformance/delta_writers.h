#pragma once

#include <string>
#include <vector>

#include "amp/config.h"

namespace amp::testing {

/// Several writers who append to one table at the same time: threads with a loader each, and
/// `ampload load` as processes, half of the commits each; every row has a number of its own.
struct Writers {
  ConfigMap config;  ///< of the loaders
  std::string to;    ///< of the processes
  std::vector<std::string> environment = {};
  int threads = 2;
  int processes = 2;
  int commits = 100;  ///< each
};

/// How many commits there were. Each adds two rows, `writer` and `n`.
int RunWriters(const Writers& writers, const std::string& table);

}  // namespace amp::testing
