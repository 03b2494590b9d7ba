#pragma once

#include "amp/config.h"

namespace amp {

enum class SslMode { kDefault, kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };
constexpr std::array<std::string_view, 7> AmpEnumNames(SslMode /*tag*/) {
  return {"default", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
}

/// Where and how to connect. What is left out is filled by libpq: from PGHOST, PGPASSWORD, ….
struct PostgreSQLConfig {
  std::string url;
  std::string host;
  std::optional<int> port;
  std::string database;
  std::string user;
  std::string password;
  std::string schema;
  SslMode sslmode = SslMode::kDefault;
  std::string sslrootcert;
  std::string application_name = "ampload";
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds statement_timeout{0};
  int pool_size = 4;
  bool create_key = true;
  std::map<std::string, std::string> connection_params;

  static constexpr auto Fields() {
    using C = PostgreSQLConfig;
    return std::make_tuple(
        Field("url", &C::url, "postgresql://user@host:port/database, instead of the next five")
            .Secret(),
        Field("host", &C::host, "Server name or address, or the folder of its Unix socket"),
        Field("port", &C::port, "The server's port").Between(1, 65535),
        Field("database", &C::database, "Database").Alias("dbname"),
        Field("user", &C::user, "Role to log in as").Alias("username"),
        Field("password", &C::password, "Its password").Secret(),
        Field("schema", &C::schema, "Schema of the tables; left out: the first of search_path"),
        Field("sslmode", &C::sslmode, "How TLS is used; default: libpq's own default, prefer"),
        Field("sslrootcert", &C::sslrootcert, "File with the certificates to trust"),
        Field("application_name", &C::application_name, "Shown in pg_stat_activity"),
        Field("connect_timeout", &C::connect_timeout, "How long to wait for a connection")
            .Between(1, 3'600'000),
        Field("statement_timeout", &C::statement_timeout,
              "How long the server lets one statement run; 0s: as its own settings say")
            .Between(0, INT32_MAX),
        Field("pool_size", &C::pool_size, "Most connections at once")
            .Alias("max_connections")
            .Between(1, 1000),
        Field("create_key", &C::create_key,
              "Whether upsert and merge may make the unique index on the key where there is none"),
        Field("connection_params", &C::connection_params,
              "Any other parameter of libpq, such as connection_params.target_session_attrs"));
  }

  Status Validate() const;
};

}  // namespace amp
