#pragma once

#include <memory>
#include <string>

#include "amp/loader.h"
#include "cli/command.h"
#include "core/metrics.h"
#include "pipeline/metrics_server.h"

namespace amp::cli {

/// What --metrics asks for: counters, and the HTTP server that shows them.
struct ServedMetrics {
  Metrics metrics;
  std::unique_ptr<MetricsServer> server;  ///< goes before what it shows

  static Result<std::unique_ptr<ServedMetrics>> Start(const std::string& where);
};

/// Counts what a load writes, where the command has --metrics.
class LoadMetrics {
 public:
  LoadMetrics(const Context& context, const TableName& table);
  void Update(const LoadProgress& progress);

 private:
  std::unique_ptr<StreamMetrics> metrics_;
  int64_t rows_ = 0, bytes_ = 0;
};

/// Counts the events of a stream, where the command has --metrics.
class EventMetrics {
 public:
  EventMetrics(const Context& context, const TableName& table, const std::string& stream);
  void Count(const StreamEvent& event);

 private:
  std::unique_ptr<StreamMetrics> metrics_;
};

}  // namespace amp::cli
