#pragma once

#include <arrow/flight/server.h>
#include <arrow/type_fwd.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"

namespace amp::unit {

/// What a server sends next in answer to DoGet.
struct SentMessage {
  std::shared_ptr<arrow::RecordBatch> batch = {};  ///< null: metadata alone
  std::optional<std::string> app_metadata = {};
  std::shared_ptr<arrow::Schema> new_schema = {};  ///< with it: only a schema message
};

/// One answer: what GetFlightInfo and DoGet do.
struct Answer {
  Status info = Status::OK();                        ///< of GetFlightInfo
  std::shared_ptr<arrow::Schema> announced = {};     ///< in FlightInfo; null: none
  std::shared_ptr<arrow::Schema> schema = {};        ///< of the stream; null: as announced
  std::vector<std::vector<SentMessage>> parts = {};  ///< an endpoint each
  std::vector<std::string> locations = {};           ///< of every endpoint
  Status end = Status::OK();                         ///< how each stream ends
  bool hang_before_schema = false;
  bool hang_at_end = false;       ///< until the client goes away
  std::string wanted_token = {};  ///< Unauthenticated without it
};

/// A Flight server on a free port that gives one scripted answer to every query.
class AmpServer final : public arrow::flight::FlightServerBase {
 public:
  struct Tls {
    std::string cert, key;     ///< PEM
    std::string client_roots;  ///< not empty: clients need a certificate of these
  };

  static std::unique_ptr<AmpServer> Start(Answer answer, const std::optional<Tls>& tls = {});
  ~AmpServer() override;

  /// grpc://127.0.0.1:port, or grpc+tls:// where it has a certificate.
  std::string Url() const;
  /// Of the last call, by name; DoGet's have "DoGet " before their names.
  std::map<std::string, std::string> headers() const;
  std::string query() const;
  int calls() const { return calls_; }
  void SetAnswer(Answer answer);
  /// Ends the streams that hang, with this.
  void EndWith(Status status);

  arrow::Status GetFlightInfo(const arrow::flight::ServerCallContext& context,
                              const arrow::flight::FlightDescriptor& request,
                              std::unique_ptr<arrow::flight::FlightInfo>* info) override;
  arrow::Status DoGet(const arrow::flight::ServerCallContext& context,
                      const arrow::flight::Ticket& request,
                      std::unique_ptr<arrow::flight::FlightDataStream>* stream) override;

 private:
  void Record(const arrow::flight::ServerCallContext& context, const std::string& prefix);
  Answer answer() const;
  friend class ScriptedStream;

  bool tls_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ending_ = false;
  std::atomic<int> calls_ = 0;
  mutable std::mutex mutex_;
  Answer answer_;
  std::map<std::string, std::string> headers_;
  std::string query_;
};

}  // namespace amp::unit
