#pragma once

#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/flight/api.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "amp/stream.h"
#include "sources/flight_sql/flight_sql.h"
#include "sources/simulated/server.h"

/// A small client that knows the rules of the Amp streaming protocol and nothing of the simulator.
/// It keeps rows in memory and undoes them as the rules say.
namespace amp::unit {

namespace flight = arrow::flight;

/// One message as it came.
struct Received {
  std::shared_ptr<arrow::RecordBatch> batch;
  std::string metadata;
  std::vector<BlockRange> ranges = {};
  bool complete = false;
};

inline Result<Received> ParseMetadata(std::shared_ptr<arrow::RecordBatch> batch, std::string text) {
  Received message{.batch = std::move(batch), .metadata = std::move(text)};
  try {
    const auto json = nlohmann::json::parse(message.metadata);
    message.complete = json.at("ranges_complete").get<bool>();
    for (const auto& range : json.at("ranges")) {
      message.ranges.push_back({.network = range.at("network").get<std::string>(),
                                .start = range.at("numbers").at("start").get<uint64_t>(),
                                .end = range.at("numbers").at("end").get<uint64_t>(),
                                .hash = range.at("hash").get<std::string>(),
                                .prev_hash = range.value("prev_hash", "")});
      message.ranges.back().timestamp = range.at("timestamp").get<int64_t>();
    }
    return message;
  } catch (const nlohmann::json::exception&) {
    return Status::Invalid("bad metadata: '", message.metadata, "'");
  }
}

inline std::string ResumeHeader(const std::vector<BlockRange>& ranges) {
  nlohmann::json json = nlohmann::json::object();
  for (const BlockRange& range : ranges) {
    json[range.network] = {{"number", range.end}, {"hash", range.hash}};
  }
  return json.dump();
}

using Headers = std::vector<std::pair<std::string, std::string>>;

/// No stream of a test takes longer: one that waits for ever fails.
constexpr flight::TimeoutDuration kPatience{20};

/// A connection to a server, and questions.
class Connection {
 public:
  static Result<Connection> Open(const std::string& url,
                                 const flight::FlightClientOptions& options = {}) {
    Connection connection;
    ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::Parse(url));
    ARROW_ASSIGN_OR_RAISE(connection.client_, flight::FlightClient::Connect(location, options));
    return connection;
  }

  Result<std::unique_ptr<flight::FlightInfo>> Ask(const std::string& sql, const Headers& headers) {
    options_.headers = headers;
    return client_->GetFlightInfo(options_,
                                  flight::FlightDescriptor::Command(EncodeStatementQuery(sql)));
  }
  Result<std::unique_ptr<flight::FlightStreamReader>> Get(const flight::Ticket& ticket) {
    return client_->DoGet(options_, ticket);
  }
  Result<std::unique_ptr<flight::FlightStreamReader>> Stream(const std::string& sql,
                                                             const std::vector<BlockRange>& resume,
                                                             const std::string& token = "") {
    Headers headers{{"amp-stream", "true"}};
    options_.timeout = kPatience;
    if (!resume.empty()) headers.emplace_back("amp-resume", ResumeHeader(resume));
    if (!token.empty()) headers.emplace_back("authorization", "Bearer " + token);
    ARROW_ASSIGN_OR_RAISE(const auto info, Ask(sql, headers));
    if (info->endpoints().size() != 1) return Status::Invalid("a stream has one endpoint");
    return Get(info->endpoints().front().ticket);
  }
  /// All rows of a bounded query.
  Result<std::shared_ptr<arrow::Table>> Rows(const std::string& sql) {
    ARROW_ASSIGN_OR_RAISE(const auto info, Ask(sql, {}));
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const auto& endpoint : info->endpoints()) {
      ARROW_ASSIGN_OR_RAISE(const auto reader, Get(endpoint.ticket));
      while (true) {
        ARROW_ASSIGN_OR_RAISE(const auto chunk, reader->Next());
        if (!chunk.data) break;
        if (!chunk.app_metadata) return Status::Invalid("a bounded answer without ranges");
        ARROW_RETURN_NOT_OK(ParseMetadata(chunk.data, chunk.app_metadata->ToString()).status());
        batches.push_back(chunk.data);
      }
    }
    arrow::ipc::DictionaryMemo memo;
    ARROW_ASSIGN_OR_RAISE(const auto schema, info->GetSchema(&memo));
    return arrow::Table::FromRecordBatches(schema, batches);
  }

 private:
  std::unique_ptr<flight::FlightClient> client_;
  flight::FlightCallOptions options_;
};

class ReferenceClient {
 public:
  struct Counts {
    int64_t messages = 0, microbatches = 0, reorgs = 0, misfits = 0, cuts = 0, repeats = 0;
    int64_t empty = 0, networks_left = 0;
  };

  ReferenceClient(std::string sql, uint64_t final_block)
      : sql_(std::move(sql)), final_block_(final_block) {}

  /// Reads until every network's final block is there. An error is a broken rule, or what the
  /// server said and reconnecting does not cure.
  Status Run(const std::string& url) { return RunFor(url, std::numeric_limits<int64_t>::max()); }

  /// At most that many messages; returns with OK all the same.
  Status RunFor(const std::string& url, int64_t most) {
    ARROW_ASSIGN_OR_RAISE(Connection connection, Connection::Open(url));
    while (!done() && most > 0) {
      ForgetOpen();
      auto reader = connection.Stream(sql_, last_);
      ARROW_RETURN_NOT_OK(reader.status());
      const Status status = Read(reader->get(), &most);
      (*reader)->Cancel();
      if (!status.ok() && !IsCut(status)) return status;
    }
    ForgetOpen();
    return Status::OK();
  }

  bool done() const {
    if (ledger_.empty() || !ledger_.back().complete) return false;
    return std::all_of(last_.begin(), last_.end(),
                       [&](const BlockRange& range) { return range.end == final_block_; });
  }
  const Counts& counts() const { return counts_; }
  /// Watermarks of every range that was ever complete.
  const std::vector<std::vector<BlockRange>>& watermarks() const { return watermarks_; }

  Result<std::shared_ptr<arrow::Table>> Rows() const {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const Microbatch_& microbatch : ledger_) {
      batches.insert(batches.end(), microbatch.rows.begin(), microbatch.rows.end());
    }
    return arrow::Table::FromRecordBatches(schema_, batches);
  }

 private:
  struct Microbatch_ {
    std::vector<BlockRange> ranges;
    std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
    bool complete = false;
  };

  bool IsCut(const Status& status) {
    const auto detail = flight::FlightStatusDetail::UnwrapStatus(status);
    const bool cut = detail && detail->code() == flight::FlightStatusCode::Unavailable;
    counts_.cuts += cut ? 1 : 0;
    return cut;
  }

  // A process that starts anew knows the last watermark only.
  void ForgetOpen() {
    if (!ledger_.empty() && !ledger_.back().complete) ledger_.pop_back();
    last_ = ledger_.empty() ? std::vector<BlockRange>() : ledger_.back().ranges;
  }

  Status Read(flight::FlightStreamReader* reader, int64_t* most) {
    ARROW_ASSIGN_OR_RAISE(schema_, reader->GetSchema());
    while (!done() && (*most)-- > 0) {
      ARROW_ASSIGN_OR_RAISE(const auto chunk, reader->Next());
      if (!chunk.data) return Status::IOError("the stream has ended");
      if (!chunk.app_metadata) return Status::Invalid("a message without metadata");
      if (!chunk.data->schema()->Equals(*schema_)) return Status::Invalid("another schema");
      ARROW_ASSIGN_OR_RAISE(const Received message,
                            ParseMetadata(chunk.data, chunk.app_metadata->ToString()));
      ++counts_.messages;
      ARROW_ASSIGN_OR_RAISE(const bool fits, Take(message));
      if (!fits) {
        ++counts_.misfits;
        return Status::OK();
      }
    }
    return Status::OK();
  }

  /// False: reconnect.
  Result<bool> Take(const Received& message) {
    ARROW_RETURN_NOT_OK(CheckShape(message));
    if (message.ranges == last_) {
      Append(message);
      return true;
    }
    std::vector<uint64_t> reorgs(message.ranges.size(), std::numeric_limits<uint64_t>::max());
    bool reorg = false;
    for (size_t i = 0; i < message.ranges.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const bool hit, IsReorg(i, message.ranges[i]));
      if (hit) reorgs[i] = message.ranges[i].start;
      reorg = reorg || hit;
    }
    if (!reorg && !ledger_.empty() && !ledger_.back().complete) {
      return Status::Invalid("a microbatch was left without its end");
    }
    if (reorg) {
      ++counts_.reorgs;
      Undo(reorgs);
      if (!Continues(message.ranges)) return false;
    }
    for (size_t i = 0; i < message.ranges.size() && !last_.empty(); ++i) {
      counts_.networks_left += message.ranges[i] == last_[i] ? 1 : 0;
    }
    last_ = message.ranges;
    if (first_.empty()) first_ = message.ranges;
    ledger_.push_back({.ranges = message.ranges, .rows = {}});
    Append(message);
    return true;
  }

  Status CheckShape(const Received& message) const {
    if (message.ranges.empty()) return Status::Invalid("no tables");
    for (size_t i = 0; i < message.ranges.size(); ++i) {
      const BlockRange& range = message.ranges[i];
      for (size_t j = 0; j < i; ++j) {
        if (message.ranges[j].network == range.network) return Status::Invalid("a network twice");
      }
      if (range.end < range.start) return Status::Invalid("end before start");
      const bool has_prev = range.prev_hash.find_first_not_of("0x") != std::string::npos;
      if (has_prev != (range.start > 0)) return Status::Invalid("prev_hash is missing");
      if (range.hash.size() != 66 || !range.hash.starts_with("0x")) return Status::Invalid("hash");
    }
    const auto same = [](const BlockRange& a, const BlockRange& b) {
      return a.network == b.network;
    };
    if (!last_.empty() && !std::equal(last_.begin(), last_.end(), message.ranges.begin(),
                                      message.ranges.end(), same)) {
      return Status::Invalid("another set of networks");
    }
    return Status::OK();
  }

  Result<bool> IsReorg(size_t i, const BlockRange& range) const {
    if (last_.empty() || range == last_[i]) return false;
    const BlockRange& last = last_[i];
    if (range.start > last.end + 1) return Status::Invalid("a gap");
    if (range.start == last.end + 1) {
      if (range.prev_hash != last.hash) return Status::Invalid("another prev_hash");
      return false;
    }
    if (range.prev_hash == last.hash) return Status::Invalid("a reorg with the same hash");
    return true;
  }

  void Undo(const std::vector<uint64_t>& reorgs) {
    const auto hit = [&](const Microbatch_& microbatch) {
      for (size_t i = 0; i < reorgs.size(); ++i) {
        if (microbatch.ranges[i].end >= reorgs[i]) return true;
      }
      return false;
    };
    while (!ledger_.empty() && hit(ledger_.back())) ledger_.pop_back();
  }

  bool Continues(const std::vector<BlockRange>& ranges) const {
    if (ledger_.empty()) {
      // From the stream's beginning, or not at all: also after a resume at what is undone by now.
      for (size_t i = 0; i < ranges.size(); ++i) {
        if (ranges[i].start != first_[i].start || ranges[i].prev_hash != first_[i].prev_hash) {
          return false;
        }
      }
      return true;
    }
    const auto& remaining = ledger_.back().ranges;
    for (size_t i = 0; i < ranges.size(); ++i) {
      const bool after =
          ranges[i].start == remaining[i].end + 1 && ranges[i].prev_hash == remaining[i].hash;
      if (!after && !(ranges[i] == remaining[i])) return false;
    }
    return true;
  }

  void Append(const Received& message) {
    Microbatch_& now = ledger_.back();
    if (now.complete) {
      ++counts_.repeats;
      return;
    }
    if (message.batch->num_rows() > 0) now.rows.push_back(message.batch);
    if (!message.complete) return;
    now.complete = true;
    ++counts_.microbatches;
    counts_.empty += now.rows.empty() ? 1 : 0;
    watermarks_.push_back(now.ranges);
  }

  std::string sql_;
  uint64_t final_block_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Microbatch_> ledger_;
  std::vector<BlockRange> last_;   ///< ranges seen last
  std::vector<BlockRange> first_;  ///< ranges seen first
  std::vector<std::vector<BlockRange>> watermarks_;
  Counts counts_;
};

/// The table's rows in an order of their own.
inline Result<std::shared_ptr<arrow::Table>> Sorted(const std::shared_ptr<arrow::Table>& table) {
  ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
  std::vector<arrow::compute::SortKey> keys;
  for (const char* name : {"network", "_block_num", "tx_index", "log_index"}) {
    if (table->GetColumnByName(name)) keys.emplace_back(name);
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto order,
      arrow::compute::SortIndices(arrow::Datum(table), arrow::compute::SortOptions(keys)));
  ARROW_ASSIGN_OR_RAISE(const auto sorted, arrow::compute::Take(table, order));
  return sorted.table()->CombineChunks();
}

inline Result<std::shared_ptr<arrow::Table>> Canonical(const std::string& sql,
                                                       const SimulationOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, CanonicalRows(sql, options));
  return reader->ToTable();
}

/// The same rows, in any order.
inline void ExpectSameRows(const std::shared_ptr<arrow::Table>& a,
                           const std::shared_ptr<arrow::Table>& b) {
  ASSERT_EQ(a->num_rows(), b->num_rows());
  const auto left = Sorted(a);
  const auto right = Sorted(b);
  ASSERT_TRUE(left.ok() && right.ok()) << left.status().ToString() << right.status().ToString();
  ASSERT_TRUE((*left)->ValidateFull().ok());
  EXPECT_TRUE((*left)->Equals(**right));
}

}  // namespace amp::unit
