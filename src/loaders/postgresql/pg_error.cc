#include "loaders/postgresql/pg_error.h"

#include <fmt/format.h>

#include <array>

namespace amp::postgresql {
namespace {

struct StateMeaning {
  std::string_view prefix;  // of the SQLSTATE; the first that fits counts
  ErrorKind kind;
  bool retryable;
  std::string_view advice;
};

constexpr std::array<StateMeaning, 31> kMeanings{{
    {"08", ErrorKind::kUnavailable, true, "Is the server still running?"},
    {"22", ErrorKind::kDataInvalid, false, ""},
    {"23502", ErrorKind::kDataInvalid, false,
     "Fill the column in the source, or allow NULL in the table"},
    {"23505", ErrorKind::kDataInvalid, false, "Remove the duplicate, or drop the constraint"},
    {"23", ErrorKind::kDataInvalid, false, ""},
    {"25006", ErrorKind::kUnavailable, false, "The server is read-only; connect to the primary"},
    {"25P03", ErrorKind::kUnavailable, true,
     "The server ended a transaction that waited for data; see its setting "
     "idle_in_transaction_session_timeout"},
    {"28", ErrorKind::kUnauthenticated, false,
     "Check user and password (--set password=…, PGPASSWORD) and the server's pg_hba.conf"},
    {"3D000", ErrorKind::kNotFound, false, "Create it with CREATE DATABASE, or name another"},
    {"3F000", ErrorKind::kNotFound, false, "Create it with CREATE SCHEMA, or set another schema"},
    {"40", ErrorKind::kConflict, true, "Another transaction was in the way; try again"},
    {"42501", ErrorKind::kUnauthenticated, false, "Grant the role what it needs"},
    {"42P01", ErrorKind::kNotFound, false, ""},
    {"42P07", ErrorKind::kAlreadyExists, false, ""},
    {"42703", ErrorKind::kSchemaMismatch, false, ""},
    {"42701", ErrorKind::kSchemaMismatch, false, ""},
    {"42804", ErrorKind::kSchemaMismatch, false, ""},
    {"42", ErrorKind::kUnsupported, false, ""},
    {"0A", ErrorKind::kUnsupported, false, ""},
    {"53100", ErrorKind::kUnavailable, false, "The server's disk is full"},
    {"53300", ErrorKind::kRateLimited, true, "The server has no free connection; try again later"},
    {"53", ErrorKind::kUnavailable, true, ""},
    {"54", ErrorKind::kUnsupported, false, ""},
    {"55P03", ErrorKind::kConflict, true, "The table is locked; try again"},
    {"55", ErrorKind::kUnavailable, true, ""},
    {"57014", ErrorKind::kUnavailable, true,
     "The server stopped the statement; see the option statement_timeout"},
    {"57", ErrorKind::kUnavailable, true, "Is the server being stopped? Try again"},
    {"58", ErrorKind::kUnavailable, false, ""},
    {"XX", ErrorKind::kUnavailable, false, "The server reports a fault of its own"},
    {"P0", ErrorKind::kDataInvalid, false, "A trigger or function of the database refused it"},
    {"", ErrorKind::kUnavailable, false, ""},
}};

const StateMeaning& MeaningOf(std::string_view sqlstate) {
  for (const StateMeaning& meaning : kMeanings) {
    if (sqlstate.starts_with(meaning.prefix)) return meaning;
  }
  return kMeanings.back();
}

std::string Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  while (line.ends_with(' ') || line.ends_with('.')) line.pop_back();
  return line;
}

std::string Sentence(std::string_view text) {
  return text.empty() ? std::string() : fmt::format(". {}", text);
}

// `connection to server at "h", port 1 failed: Connection refused\n\tIs the server running …?`:
// what comes before and after the reason says nothing that our own message does not say.
std::string ReasonOf(std::string message) {
  message = message.substr(0, message.find("\n\t"));
  constexpr std::string_view kFailed = " failed: ";
  const size_t failed = message.find(kFailed);
  if (message.starts_with("connection to server") && failed != std::string::npos) {
    message = message.substr(failed + kFailed.size());
  }
  return OneLine(message);
}

// libpq's own words.
std::string LibpqMessage(PGconn* connection) {
  const std::string message = OneLine(PQerrorMessage(connection));
  return message.empty() ? "the connection was lost" : message;
}

// `… FATAL:  28P01: password authentication failed for user "x"  LOCATION:  auth_failed, auth.c:3`
struct VerboseError {
  std::string sqlstate;
  std::string text;
};
VerboseError ReadVerbose(const std::string& message) {
  constexpr size_t kStateLength = 5;
  const size_t fatal = message.find("FATAL:");
  const size_t state = message.find_first_not_of(' ', fatal == std::string::npos ? 0 : fatal + 6);
  if (fatal == std::string::npos || state == std::string::npos ||
      message.size() < state + kStateLength + 2 || message[state + kStateLength] != ':') {
    return {"", ReasonOf(message)};
  }
  std::string text = message.substr(state + kStateLength + 1);
  text = text.substr(0, text.find("LOCATION:"));
  while (text.starts_with(' ')) text.erase(0, 1);
  return {message.substr(state, kStateLength), OneLine(text)};
}

}  // namespace

ErrorInfo InfoOfSqlState(std::string_view sqlstate) {
  const StateMeaning& meaning = MeaningOf(sqlstate);
  return {.kind = meaning.kind,
          .side = ErrorSide::kTarget,
          .native_code = std::string(sqlstate),
          .retryable = meaning.retryable};
}

Status ResultError(std::string_view operation, const PGresult* result) {
  const std::string sqlstate = Field(result, PG_DIAG_SQLSTATE);
  const std::string detail = Field(result, PG_DIAG_MESSAGE_DETAIL);
  const std::string context = Field(result, PG_DIAG_CONTEXT);
  std::string message =
      fmt::format("{}: {}", operation, OneLine(Field(result, PG_DIAG_MESSAGE_PRIMARY)));
  // "Failing row contains (…)" would show whole rows; the context says which it was.
  if (!detail.empty() && !detail.starts_with("Failing row")) {
    message += fmt::format(" ({})", OneLine(detail));
  }
  if (context.starts_with("COPY ")) message += fmt::format(" [{}]", OneLine(context));
  if (!sqlstate.empty()) message += fmt::format(" (SQLSTATE {})", sqlstate);
  message += Sentence(MeaningOf(sqlstate).advice);
  ErrorInfo info = InfoOfSqlState(sqlstate);
  info.operation = operation;
  return MakeError(std::move(info), std::move(message));
}

Status ConnectionError(std::string_view operation, PGconn* connection) {
  return MakeError({.kind = ErrorKind::kUnavailable,
                    .side = ErrorSide::kTarget,
                    .operation = std::string(operation),
                    .retryable = true},
                   fmt::format("{}: the connection to the server was lost: {}. What was not "
                               "committed is rolled back; check the server and try again",
                               operation, LibpqMessage(connection)));
}

Status ConnectError(std::string_view where, PGconn* connection) {
  const VerboseError error = ReadVerbose(PQerrorMessage(connection));
  const std::string what = fmt::format("cannot connect to PostgreSQL at {}: {}", where, error.text);
  if (error.sqlstate.empty()) {
    const bool login = PQconnectionNeedsPassword(connection) != 0;
    return MakeError({.kind = login ? ErrorKind::kUnauthenticated : ErrorKind::kUnavailable,
                      .side = ErrorSide::kTarget,
                      .operation = "connect",
                      .retryable = !login},
                     what + (login ? ". Give a password (--set password=…, PGPASSWORD)"
                                   : ". Check host and port, and that the server runs"));
  }
  ErrorInfo info = InfoOfSqlState(error.sqlstate);
  info.operation = "connect";
  return MakeError(std::move(info), fmt::format("{} (SQLSTATE {}){}", what, error.sqlstate,
                                                Sentence(MeaningOf(error.sqlstate).advice)));
}

}  // namespace amp::postgresql
