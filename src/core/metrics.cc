#include "core/metrics.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <mutex>
#include <sstream>

namespace amp {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Labels = prometheus::Labels;

constexpr std::array<ErrorSide, 2> kSides{ErrorSide::kSource, ErrorSide::kTarget};

std::string NameOf(ErrorSide side) {
  return side == ErrorSide::kSource ? "source" : side == ErrorSide::kTarget ? "target" : "none";
}

// In seconds: from a local commit to the slowest lake.
const Histogram::BucketBoundaries kLatencies{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                             0.5,   1,      2.5,   5,    10,    30,   60};

Family<Counter>& CounterFamily(prometheus::Registry* registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
}

Family<Gauge>& GaugeFamily(prometheus::Registry* registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry);
}

Labels With(Labels labels, const char* name, std::string value) {
  labels.emplace(name, std::move(value));
  return labels;
}

/// Is a stream connected, and if not, why?
struct Connection {
  bool connected = false;
  std::string why;
};

}  // namespace

struct Metrics::Impl {
  using Key = std::pair<std::string, std::string>;  // table and stream

  prometheus::Registry registry;
  Family<Counter>& rows = CounterFamily(&registry, "ampload_rows_total", "Rows written");
  Family<Counter>& bytes =
      CounterFamily(&registry, "ampload_bytes_total", "Arrow bytes of the rows written");
  Family<Counter>& commits = CounterFamily(&registry, "ampload_commits_total", "Commits");
  Family<Counter>& reorgs =
      CounterFamily(&registry, "ampload_reorgs_total", "Chain reorganisations");
  Family<Counter>& undone =
      CounterFamily(&registry, "ampload_undone_rows_total", "Rows removed by reorganisations");
  Family<Counter>& retries = CounterFamily(&registry, "ampload_retries_total",
                                           "Failures that were tried again, by kind and side");
  Family<Gauge>& queue = GaugeFamily(&registry, "ampload_queue_bytes",
                                     "Arrow bytes that are read and not yet written");
  Family<Gauge>& block =
      GaugeFamily(&registry, "ampload_committed_block", "Newest block whose rows are committed");
  Family<Gauge>& block_time = GaugeFamily(&registry, "ampload_committed_block_timestamp_seconds",
                                          "Unix time of the newest committed block");
  Family<Gauge>& connected =
      GaugeFamily(&registry, "ampload_connected", "1 while the stream is connected to that side");
  Family<Histogram>& latency = prometheus::BuildHistogram()
                                   .Name("ampload_commit_duration_seconds")
                                   .Help("Time that commits took")
                                   .Register(registry);

  mutable std::mutex mutex;
  std::map<Key, std::map<ErrorSide, Connection>> streams;  ///< that run now
};

struct StreamMetrics::Impl {
  Impl(Metrics::Impl* metrics, std::string of_table, std::string of_stream)
      : all(metrics),
        key(std::move(of_table), std::move(of_stream)),
        labels{{"table", key.first}, {"stream", key.second}},
        rows(all->rows.Add(labels)),
        bytes(all->bytes.Add(labels)),
        commits(all->commits.Add(labels)),
        reorgs(all->reorgs.Add(labels)),
        undone(all->undone.Add(labels)),
        queue(all->queue.Add(labels)),
        latency(all->latency.Add(labels, kLatencies)) {}

  Metrics::Impl* all;
  Metrics::Impl::Key key;
  Labels labels;
  Counter &rows, &bytes, &commits, &reorgs, &undone;
  Gauge& queue;
  Histogram& latency;
};

StreamMetrics::StreamMetrics(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  for (const ErrorSide side : kSides) SetConnected(side, false);
}

StreamMetrics::~StreamMetrics() {
  for (const ErrorSide side : kSides) SetConnected(side, false);
  SetQueueBytes(0);
  const std::lock_guard lock(impl_->all->mutex);
  impl_->all->streams.erase(impl_->key);
}

void StreamMetrics::AddRows(int64_t rows, int64_t bytes) {
  impl_->rows.Increment(static_cast<double>(rows));
  impl_->bytes.Increment(static_cast<double>(bytes));
}

void StreamMetrics::AddCommit(std::chrono::nanoseconds latency) {
  impl_->commits.Increment();
  impl_->latency.Observe(std::chrono::duration<double>(latency).count());
}

void StreamMetrics::AddReorg(int64_t undone_rows) {
  impl_->reorgs.Increment();
  impl_->undone.Increment(static_cast<double>(undone_rows));
}

void StreamMetrics::AddRetry(const ErrorInfo& error) {
  Labels labels = With(impl_->labels, "kind", std::string(ToString(error.kind)));
  impl_->all->retries.Add(With(std::move(labels), "side", NameOf(error.side))).Increment();
}

void StreamMetrics::SetQueueBytes(int64_t bytes) { impl_->queue.Set(static_cast<double>(bytes)); }

void StreamMetrics::SetCommitted(const BlockRange& newest) {
  const Labels labels = With(impl_->labels, "network", newest.network);
  impl_->all->block.Add(labels).Set(static_cast<double>(newest.end));
  if (newest.timestamp) {
    impl_->all->block_time.Add(labels).Set(static_cast<double>(*newest.timestamp));
  }
}

void StreamMetrics::SetConnected(ErrorSide side, bool connected, std::string why) {
  impl_->all->connected.Add(With(impl_->labels, "side", NameOf(side))).Set(connected ? 1 : 0);
  const std::lock_guard lock(impl_->all->mutex);
  impl_->all->streams[impl_->key][side] = {.connected = connected, .why = std::move(why)};
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

std::unique_ptr<StreamMetrics> Metrics::OfStream(const std::string& table,
                                                 const std::string& stream) {
  return std::unique_ptr<StreamMetrics>(
      new StreamMetrics(std::make_unique<StreamMetrics::Impl>(impl_.get(), table, stream)));
}

std::string Metrics::PrometheusText() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, impl_->registry.Collect());
  return text.str();
}

std::string Metrics::NotReady() const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->streams.empty()) return "no stream is running\n";
  std::string text;
  for (const auto& [key, sides] : impl_->streams) {
    for (const auto& [side, state] : sides) {
      if (state.connected) continue;
      text += fmt::format("stream {} of table {} is not connected to its {}{}{}\n", key.second,
                          key.first, NameOf(side), state.why.empty() ? "" : ": ", state.why);
    }
  }
  return text;
}

}  // namespace amp
