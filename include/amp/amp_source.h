#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "amp/config.h"
#include "amp/stream_source.h"

/// Streams of an Amp server, over Arrow Flight SQL.
namespace amp {

/// How to talk to an Amp server. Files are read again at each Connect, so that a token or a
/// certificate may be replaced while a stream runs.
struct AMP_EXPORT AmpSourceOptions {
  std::vector<std::string> endpoints = {};
  bool streaming = true;
  std::string token = {};
  std::string token_file = {};
  std::map<std::string, std::string> headers = {};
  std::string tls_root_certs = {};
  std::string tls_client_cert = {};
  std::string tls_client_key = {};
  std::string tls_server_name = {};
  bool tls_skip_verify = false;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds keepalive_time{30'000};
  std::chrono::milliseconds keepalive_timeout{20'000};
  ByteSize max_message_size = {};

  static constexpr auto Fields() {
    using Options = AmpSourceOptions;
    constexpr int64_t kDay = 86'400'000;
    return std::make_tuple(
        Field("endpoints", &Options::endpoints,
              "More servers of the same data, as URL or host:port, for when the first is down"),
        Field("streaming", &Options::streaming,
              "Keep the query open and follow the chain; false: end with what is there now")
            .Alias("amp_stream"),
        Field("token", &Options::token,
              "Bearer token; else from token_file, AMP_AUTH_TOKEN, or the Amp CLI's login")
            .Secret(),
        Field("token_file", &Options::token_file,
              "File with the token, as plain text or as the Amp CLI's JSON; read at each connect"),
        Field("headers", &Options::headers, "More gRPC headers, as headers.NAME=VALUE").Secret(),
        Field("tls_root_certs", &Options::tls_root_certs,
              "PEM file with the authorities to trust; else the system's"),
        Field("tls_client_cert", &Options::tls_client_cert, "PEM file with our certificate"),
        Field("tls_client_key", &Options::tls_client_key, "PEM file with its private key"),
        Field("tls_server_name", &Options::tls_server_name,
              "Name in the server's certificate, where it is not the host's"),
        Field("tls_skip_verify", &Options::tls_skip_verify,
              "Trust any certificate (for tests only: anyone could be the server)"),
        Field("connect_timeout", &Options::connect_timeout,
              "Longest wait for a server to take the query")
            .Between(1, kDay),
        Field("keepalive_time", &Options::keepalive_time,
              "Time between HTTP/2 pings that tell a live connection from a dead one")
            .Between(1, kDay),
        Field("keepalive_timeout", &Options::keepalive_timeout,
              "Longest wait for a ping's answer before the connection counts as dead")
            .Between(1, kDay),
        Field("max_message_size", &Options::max_message_size,
              "Largest message that is taken from the server; 0: any")
            .Between(0, INT32_MAX));
  }
  Status Validate() const;
};

/// A query on an Amp server. `url` is `grpc://host:port` (also `grpc+tcp://`), or `grpc+tls://`
/// (also `grpcs://`) for TLS; several servers of the same data as `grpc://a:1,b:2`, tried in turn.
/// Nothing is connected yet. Errors: ConfigInvalid.
AMP_EXPORT Result<std::unique_ptr<StreamSource>> OpenAmpSource(const std::string& url,
                                                               const std::string& query,
                                                               const AmpSourceOptions& options);

}  // namespace amp
