#pragma once

#include <memory>
#include <string>

#include "amp/error.h"
#include "amp/export.h"
#include "core/metrics.h"

namespace amp {

/// An HTTP server with /metrics (Prometheus' text), /healthz (200 as long as the process works) and
/// /readyz (200 when every stream has its source and target, else 503 and why).
class AMP_EXPORT MetricsServer {
 public:
  /// `where` is HOST:PORT; port 0 takes a free one. Errors: ConfigInvalid, for text that is no
  /// HOST:PORT and for a port that is in use.
  static Result<std::unique_ptr<MetricsServer>> Start(const std::string& where,
                                                      const Metrics* metrics);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  /// Waits for requests that are being answered.
  ~MetricsServer();

  int port() const;

 private:
  struct Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amp
