#include "loaders/postgresql/connection.h"

#include <poll.h>

#include "core/log.h"
#include "loaders/postgresql/pg_error.h"

namespace amp {

Status PostgreSQLConfig::Validate() const {
  ARROW_RETURN_NOT_OK(ExpandUrl("postgresql", *this, "database"));
  for (const auto& [name, value] : connection_params) {
    if (FindField(FieldsOf<PostgreSQLConfig>(), name) != nullptr) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("postgresql: connection_params.{} has an option of its own; "
                                   "set '{}' instead",
                                   name, name));
    }
  }
  return Status::OK();
}

}  // namespace amp

namespace amp::postgresql {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

Parameters ParametersOf(const PostgreSQLConfig& config) {
  Parameters all{{"host", config.host},
                 {"port", config.port ? std::to_string(*config.port) : ""},
                 {"dbname", config.database},
                 {"user", config.user},
                 {"password", config.password},
                 {"sslrootcert", config.sslrootcert},
                 {"application_name", config.application_name},
                 {"client_encoding", "UTF8"}};
  if (config.sslmode != SslMode::kDefault) {
    all.emplace_back("sslmode", AmpEnumNames(config.sslmode)[static_cast<size_t>(config.sslmode)]);
  }
  for (const auto& [name, value] : config.connection_params) all.emplace_back(name, value);
  // An empty value would keep libpq from looking at the environment.
  std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
  return all;
}

PGconn* Start(const Parameters& parameters) {
  std::vector<const char*> names, values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(names.data(), values.data(), /*expand_dbname=*/0);
}

std::string TextOrEmpty(const char* text) { return text == nullptr ? "" : text; }

// user@host:port/database, as libpq completed it.
std::string WhereOf(PGconn* connection) {
  return fmt::format("{}@{}:{}/{}", TextOrEmpty(PQuser(connection)),
                     TextOrEmpty(PQhost(connection)), TextOrEmpty(PQport(connection)),
                     TextOrEmpty(PQdb(connection)));
}

void LogNotice(void* /*context*/, const PGresult* result) {
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  Log().debug("postgresql: {}", TextOrEmpty(text));
}

// Waits for the socket; false when the time is over.
bool WaitFor(PGconn* connection, short events, std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd wait{.fd = PQsocket(connection), .events = events, .revents = 0};
  return left.count() > 0 && poll(&wait, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const PostgreSQLConfig& given) {
  ARROW_ASSIGN_OR_RAISE(const PostgreSQLConfig config, ExpandUrl("postgresql", given, "database"));
  PGconn* raw = Start(ParametersOf(config));
  if (raw == nullptr) return Status::OutOfMemory("PQconnectStartParams");
  std::unique_ptr<Connection> connection(new Connection(raw));
  ARROW_RETURN_NOT_OK(connection->WaitUntilConnected(config));
  ARROW_RETURN_NOT_OK(connection->Prepare(config));
  return connection;
}

// PQconnectdb would do this, but without the SQLSTATE of a refusal.
Status Connection::WaitUntilConnected(const PostgreSQLConfig& config) {
  PGconn* connection = connection_.get();
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  const auto deadline = std::chrono::steady_clock::now() + config.connect_timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
         state != PGRES_POLLING_FAILED) {
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!WaitFor(connection, events, deadline)) {
      return MakeError({.kind = ErrorKind::kUnavailable,
                        .side = ErrorSide::kTarget,
                        .operation = "connect",
                        .retryable = true},
                       fmt::format("cannot connect to PostgreSQL at {}: no answer within {}. Check "
                                   "host and port, or raise connect_timeout",
                                   WhereOf(connection), internal::TextOf(config.connect_timeout)));
    }
    state = PQconnectPoll(connection);
  }
  if (PQstatus(connection) != CONNECTION_OK) return ConnectError(WhereOf(connection), connection);
  PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  PQsetNoticeReceiver(connection, LogNotice, nullptr);
  return Status::OK();
}

Status Connection::Prepare(const PostgreSQLConfig& config) {
  if (config.statement_timeout.count() == 0) return Status::OK();
  return Execute(fmt::format("SET statement_timeout = {}", config.statement_timeout.count()),
                 "setting statement_timeout")
      .status();
}

std::string Connection::server_version() const {
  return TextOrEmpty(PQparameterStatus(connection_.get(), "server_version"));
}

Status Connection::Failure(std::string_view operation, const PGresult* result) const {
  // A result without an SQLSTATE is libpq's own: the connection broke.
  if (result == nullptr || PQresultErrorField(result, PG_DIAG_SQLSTATE) == nullptr) {
    return ConnectionError(operation, connection_.get());
  }
  return ResultError(operation, result);
}

Result<std::string> Connection::Execute(const std::string& sql, std::string_view operation) {
  const ResultPtr result(PQexec(connection_.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return Failure(operation, result.get());
  }
  return std::string(PQcmdStatus(result.get()));
}

Result<Rows> Connection::Query(const std::string& sql, std::string_view operation,
                               const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  ResultPtr result(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                                nullptr, values.data(), nullptr, nullptr, /*resultFormat=*/0));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return Failure(operation, result.get());
  return Rows(std::move(result));
}

Result<std::vector<Rows>> Connection::ExecuteAll(const std::string& sql,
                                                 std::string_view operation) {
  ARROW_RETURN_NOT_OK(Send(sql, operation));
  return TakeAnswer(operation);
}

Status Connection::Send(const std::string& sql, std::string_view operation) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 1) return Status::OK();
  return ConnectionError(operation, connection_.get());
}

// A broken connection has its whole answer too: the error.
bool Connection::HasWholeAnswer() {
  return PQconsumeInput(connection_.get()) != 1 || PQisBusy(connection_.get()) == 0;
}

Result<std::vector<Rows>> Connection::TakeAnswer(std::string_view operation) {
  std::vector<Rows> all;
  Status status;
  while (ResultPtr result{PQgetResult(connection_.get())}) {
    const ExecStatusType state = PQresultStatus(result.get());
    if (state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK) {
      all.emplace_back(std::move(result));
    } else if (status.ok()) {
      status = Failure(operation, result.get());
    }
  }
  ARROW_RETURN_NOT_OK(status);
  return all;
}

Result<std::vector<Rows>> Connection::Commit(const std::string& last) {
  auto all = ExecuteAll(last.empty() ? "COMMIT" : last + "; COMMIT", "commit");
  if (!all.ok()) return CommitError(all.status());
  // COMMIT of a failed transaction is answered with ROLLBACK, and without an error.
  if (!all->empty() && all->back().tag() == "COMMIT") return all;
  return MakeError(ErrorKind::kInternal, "commit: the transaction had failed before");
}

// An error that leaves the connection whole says that nothing was committed. A server that is being
// stopped may have committed before it says so.
Status Connection::CommitError(const Status& error) const {
  if (usable()) return error;
  return MakeError(
      {.kind = ErrorKind::kCommitUnknown, .side = ErrorSide::kTarget, .operation = "commit"},
      "commit: the connection was lost before the server answered, so it is not known "
      "whether the rows are stored. Count them before loading again");
}

std::string Connection::Literal(std::string_view text) const {
  const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
      PQescapeLiteral(connection_.get(), text.data(), text.size()), &PQfreemem);
  return quoted == nullptr ? "NULL" : quoted.get();
}

// Nobody has asked it anything: what it says is a farewell, mostly.
bool Connection::Quiet() const { return usable() && !HasAnswer(); }

Status Connection::BeginCopyIn(const std::string& sql) {
  const ResultPtr result(PQexec(connection_.get(), sql.c_str()));
  if (PQresultStatus(result.get()) == PGRES_COPY_IN) return Status::OK();
  return Failure("starting COPY", result.get());
}

Status Connection::PutCopyData(std::span<const uint8_t> bytes) {
  const int sent = PQputCopyData(connection_.get(), reinterpret_cast<const char*>(bytes.data()),
                                 static_cast<int>(bytes.size()));
  return sent == 1 ? Status::OK() : DrainResults("sending rows");
}

bool Connection::HasAnswer() const {
  pollfd ask{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  return poll(&ask, 1, 0) > 0;
}

Status Connection::EndCopyIn() {
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) return DrainResults("storing rows");
  Status status;
  while (ResultPtr result{PQgetResult(connection_.get())}) {
    if (status.ok() && PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      status = Failure("storing rows", result.get());
    }
  }
  return status;
}

// Something failed: what the server said about it, or that the connection broke.
Status Connection::DrainResults(std::string_view operation) {
  Status status = ConnectionError(operation, connection_.get());
  bool told = false;
  while (ResultPtr result{PQgetResult(connection_.get())}) {
    const ExecStatusType state = PQresultStatus(result.get());
    if (state == PGRES_COPY_IN) break;  // still in COPY and nothing to read: the write failed
    if (!told && PQresultErrorField(result.get(), PG_DIAG_SQLSTATE) != nullptr) {
      status = ResultError(operation, result.get());
      told = true;
    }
  }
  return status;
}

void Connection::AbortCopyIn() {
  PQputCopyEnd(connection_.get(), "the load was given up");
  while (ResultPtr result{PQgetResult(connection_.get())}) {
    if (PQresultStatus(result.get()) == PGRES_COPY_IN) break;
  }
}

Status Connection::BeginCopyOut(const std::string& sql) {
  const ResultPtr result(PQexec(connection_.get(), sql.c_str()));
  if (PQresultStatus(result.get()) == PGRES_COPY_OUT) return Status::OK();
  return Failure("reading rows", result.get());
}

Result<std::optional<std::string>> Connection::GetCopyData() {
  char* data = nullptr;
  const int size = PQgetCopyData(connection_.get(), &data, /*async=*/0);
  if (size > 0) {
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(data, &PQfreemem);
    return std::string(data, static_cast<size_t>(size));
  }
  Status status = size == -1 ? Status::OK() : ConnectionError("reading rows", connection_.get());
  while (ResultPtr result{PQgetResult(connection_.get())}) {
    if (status.ok() && PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      status = Failure("reading rows", result.get());
    }
  }
  ARROW_RETURN_NOT_OK(status);
  return std::nullopt;
}

Result<ConnectionPool::Lease> ConnectionPool::Take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return any_left(); });
  return TakeOne(std::move(lock));
}

Result<std::optional<ConnectionPool::Lease>> ConnectionPool::TryTake() {
  std::unique_lock lock(mutex_);
  if (!any_left()) return std::nullopt;
  return TakeOne(std::move(lock));
}

Result<ConnectionPool::Lease> ConnectionPool::TakeOne(std::unique_lock<std::mutex> lock) {
  ++in_use_;
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->Quiet()) return Lease(shared_from_this(), std::move(connection));
  }
  lock.unlock();
  auto opened = Connection::Open(config_);
  if (!opened.ok()) {
    GiveBack(nullptr);
    return opened.status();
  }
  return Lease(shared_from_this(), *std::move(opened));
}

void ConnectionPool::GiveBack(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  --in_use_;
  if (connection != nullptr && !connection->usable()) {
    idle_.clear();  // what broke one has broken the others, mostly
  } else if (connection != nullptr && !connection->in_transaction()) {
    idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace amp::postgresql
