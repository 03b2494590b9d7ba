#pragma once

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"

namespace amp::testing {

/// libpq in text mode: how the tests look into PostgreSQL.
class PostgresClient {
 public:
  using Rows = std::vector<std::map<std::string, std::optional<std::string>>>;

  static Result<PostgresClient> Connect(const std::string& url) {
    PGconn* connection = PQconnectdb(url.c_str());
    PostgresClient client(connection);
    if (PQstatus(connection) != CONNECTION_OK) {
      return MakeError(ErrorKind::kUnavailable, PQerrorMessage(connection));
    }
    ARROW_RETURN_NOT_OK(client.Query("SET TimeZone = 'UTC'"));
    ARROW_RETURN_NOT_OK(client.Query("SET IntervalStyle = 'iso_8601'"));
    ARROW_RETURN_NOT_OK(client.Query("SET client_min_messages = warning"));
    return client;
  }

  Result<Rows> Query(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      return MakeError(ErrorKind::kUnavailable, sql + ": " + PQerrorMessage(connection_.get()));
    }
    Rows rows(static_cast<size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        auto& cell = rows[static_cast<size_t>(row)][PQfname(result.get(), column)];
        if (PQgetisnull(result.get(), row, column) == 0)
          cell = PQgetvalue(result.get(), row, column);
      }
    }
    return rows;
  }

  /// The only value of the only row.
  Result<std::string> Value(const std::string& sql) {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Query(sql));
    if (rows.size() != 1 || rows[0].size() != 1) return Status::Invalid("not one value: " + sql);
    return rows[0].begin()->second.value_or("NULL");
  }

  /// "name" as an SQL identifier.
  static std::string Quote(const std::string& name) {
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
  }

 private:
  explicit PostgresClient(PGconn* connection) : connection_(connection, &PQfinish) {}
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace amp::testing
