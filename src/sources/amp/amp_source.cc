#include "amp/amp_source.h"

#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "sources/amp/amp_connection.h"
#include "sources/flight_sql/flight_sql.h"

namespace amp {
namespace {

using arrow::flight::FlightDescriptor;
using arrow::flight::FlightInfo;

// {"eth":{"number":100,"hash":"0x…"}}: the server goes on after block 100. Other than ASCII is
// escaped, as headers cannot hold it.
std::string ResumeHeader(const std::vector<BlockRange>& resume) {
  auto json = nlohmann::json::object();
  for (const BlockRange& range : resume) {
    json[range.network] = {{"number", range.end}, {"hash", range.hash}};
  }
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

class AmpSource final : public StreamSource {
 public:
  AmpSource(std::vector<AmpEndpoint> endpoints, std::string query, AmpSourceOptions options)
      : endpoints_(std::move(endpoints)), query_(std::move(query)), options_(std::move(options)) {}

  Result<std::unique_ptr<StreamConnection>> Connect(const std::vector<BlockRange>& resume) override;
  std::string Describe() const override;
  std::string query() const override { return query_; }

 private:
  Result<std::unique_ptr<StreamConnection>> ConnectTo(const AmpEndpoint& endpoint, AmpCalls calls,
                                                      const std::vector<BlockRange>& resume) const;
  Result<std::unique_ptr<FlightInfo>> Ask(const AmpCalls& calls,
                                          const std::vector<BlockRange>& resume) const;
  void WarnOfPlainToken(const AmpEndpoint& endpoint, const AmpToken& token);

  const std::vector<AmpEndpoint> endpoints_;
  const std::string query_;
  const AmpSourceOptions options_;
  size_t preferred_ = 0;  ///< of `endpoints_`, the one that answered last
  bool warned_ = false;
};

std::string AmpSource::Describe() const {
  std::string text;
  for (const AmpEndpoint& endpoint : endpoints_) {
    text += (text.empty() ? "" : ",") + endpoint.Url();
  }
  return text;
}

void AmpSource::WarnOfPlainToken(const AmpEndpoint& endpoint, const AmpToken& token) {
  if (warned_ || token.value.empty() || endpoint.tls || IsLoopback(endpoint.host)) return;
  warned_ = true;
  Log().warn("the token goes to {} without TLS, where others may read it; write grpc+tls://",
             endpoint.Url());
}

// Servers are tried in turn, from the one that answered last. Only trouble that another server may
// not have leads on to it.
Result<std::unique_ptr<StreamConnection>> AmpSource::Connect(
    const std::vector<BlockRange>& resume) {
  AmpCalls calls{.options = options_};
  ARROW_ASSIGN_OR_RAISE(calls.token, FindAmpToken(options_));
  ARROW_ASSIGN_OR_RAISE(calls.client, MakeClientOptions(options_));
  std::vector<Status> failures;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    const size_t index = (preferred_ + i) % endpoints_.size();
    WarnOfPlainToken(endpoints_[index], calls.token);
    auto connection = ConnectTo(endpoints_[index], calls, resume);
    if (connection.ok()) {
      preferred_ = index;
      return connection;
    }
    failures.push_back(calls.WithTokenChange(connection.status()));
    if (!ErrorInfoOf(failures.back()).retryable) return failures.back();
  }
  std::string message = failures.front().message();
  for (size_t i = 1; i < failures.size(); ++i) message += "\nnor " + failures[i].message();
  return MakeError(ErrorInfoOf(failures.back()), std::move(message));
}

Result<std::unique_ptr<FlightInfo>> AmpSource::Ask(const AmpCalls& calls,
                                                   const std::vector<BlockRange>& resume) const {
  auto call = calls.CallOptions();
  call.timeout = std::chrono::duration<double>(options_.connect_timeout);
  if (options_.streaming) call.headers.emplace_back("amp-stream", "true");
  if (!resume.empty()) call.headers.emplace_back("amp-resume", ResumeHeader(resume));
  std::unique_ptr<FlightInfo> info;
  const auto command = FlightDescriptor::Command(EncodeStatementQuery(query_));
  const Status status = calls.transport->GetFlightInfo(call, command, &info);
  if (!status.ok()) return FlightError(status, calls.Facts("GetFlightInfo", calls.server));
  return info;
}

Result<std::unique_ptr<StreamConnection>> AmpSource::ConnectTo(
    const AmpEndpoint& endpoint, AmpCalls calls, const std::vector<BlockRange>& resume) const {
  calls.server = endpoint;
  ARROW_ASSIGN_OR_RAISE(calls.transport, OpenChannel(endpoint, calls.client));
  ARROW_ASSIGN_OR_RAISE(const auto info, Ask(calls, resume));
  arrow::ipc::DictionaryMemo memo;
  const auto schema = info->GetSchema(&memo);
  if (!schema.ok() || *schema == nullptr) {
    return MakeError(
        {.kind = ErrorKind::kProtocol,
         .side = ErrorSide::kSource,
         .operation = "GetFlightInfo",
         .target = endpoint.Url()},
        fmt::format("Amp server {} did not say which columns the query has: {}; check "
                    "that it is an Amp server",
                    endpoint.Url(), schema.ok() ? "no schema" : schema.status().message()));
  }
  return std::make_unique<AmpConnection>(std::move(calls), *schema, info->endpoints());
}

Status BadHeader(const std::string& name, std::string_view why) {
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("source: option 'headers': header '{}' {}", name, why));
}

// gRPC ends the process over headers that it cannot send.
Status CheckHeader(const std::string& name, const std::string& value) {
  constexpr std::array<std::string_view, 3> kOurs{"amp-stream", "amp-resume", "authorization"};
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (name.empty() || name.find_first_not_of(kAllowed) != std::string::npos) {
    return BadHeader(name, "has a name with other than letters, digits and - _ .");
  }
  for (const std::string_view ours : kOurs) {
    if (name.size() == ours.size() &&
        std::equal(name.begin(), name.end(), ours.begin(),
                   [](char a, char b) { return (a | 0x20) == b || a == b; })) {
      return BadHeader(name, "is set by Ampload itself (the token: option token)");
    }
  }
  const auto fits = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::all_of(value.begin(), value.end(), fits)) {
    return BadHeader(name, "has a value with other than printable ASCII");
  }
  return Status::OK();
}

}  // namespace

Status AmpSourceOptions::Validate() const {
  if (!token.empty() && !token_file.empty()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "source: options 'token' and 'token_file' are both set; set one");
  }
  if (tls_client_cert.empty() != tls_client_key.empty()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "source: options 'tls_client_cert' and 'tls_client_key' go together; set both "
                     "or none");
  }
  for (const auto& [name, value] : headers) ARROW_RETURN_NOT_OK(CheckHeader(name, value));
  return Status::OK();
}

Result<std::unique_ptr<StreamSource>> OpenAmpSource(const std::string& url,
                                                    const std::string& query,
                                                    const AmpSourceOptions& options) {
  ARROW_RETURN_NOT_OK(options.Validate());
  if (query.find_first_not_of(" \t\r\n;") == std::string::npos) {
    return MakeError(ErrorKind::kConfigInvalid, "the query is empty; give SQL with --query");
  }
  ARROW_ASSIGN_OR_RAISE(auto endpoints, ParseAmpEndpoints(url, options.endpoints));
  ARROW_RETURN_NOT_OK(MakeClientOptions(options).status());
  return std::make_unique<AmpSource>(std::move(endpoints), query, options);
}

}  // namespace amp
