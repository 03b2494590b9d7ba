#pragma once

#include <libpq-fe.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "loaders/postgresql/postgresql_config.h"

namespace amp::postgresql {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

/// Rows of a query, as text.
class Rows {
 public:
  explicit Rows(ResultPtr result) : result_(std::move(result)) {}
  int size() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<size_t>(PQgetlength(result_.get(), row, column))};
  }
  int64_t integer(int row, int column) const { return std::stoll(text(row, column)); }
  bool flag(int row, int column) const { return text(row, column) == "t"; }
  /// Rows that the statement inserted, changed or deleted.
  int64_t affected() const { return std::atoll(PQcmdTuples(result_.get())); }
  /// What the server calls the statement, such as "COMMIT".
  std::string tag() const { return PQcmdStatus(result_.get()); }

 private:
  ResultPtr result_;
};

/// One connection to a server; belongs to one thread at a time.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const PostgreSQLConfig& config);

  /// False once the connection is broken.
  bool usable() const {
    return connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK;
  }
  /// Whether a transaction block is open, failed or not.
  bool in_transaction() const { return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE; }
  std::string server_version() const;

  /// Runs one statement without rows; returns its command tag.
  Result<std::string> Execute(const std::string& sql, std::string_view operation);
  Result<Rows> Query(const std::string& sql, std::string_view operation,
                     const std::vector<std::string>& parameters = {});
  /// Runs statements joined by `;` in one round trip; what each of them gave. The first that fails
  /// ends it.
  Result<std::vector<Rows>> ExecuteAll(const std::string& sql, std::string_view operation);
  /// Runs `last` and COMMIT in one round trip, so that the server waits for no client between them;
  /// what `last` gave. CommitUnknown when the connection broke before the answer came.
  Result<std::vector<Rows>> Commit(const std::string& last = {});
  /// Sends statements as ExecuteAll does, but does not wait for their answer. Until `TakeAnswer`
  /// the connection can do nothing else.
  Status Send(const std::string& sql, std::string_view operation);
  /// Whether `TakeAnswer` would not wait.
  bool HasWholeAnswer();
  Result<std::vector<Rows>> TakeAnswer(std::string_view operation);
  /// Text as an SQL literal.
  std::string Literal(std::string_view text) const;
  /// False when the server has said something while nobody used the connection, or closed it.
  bool Quiet() const;
  /// Gives the connection up: it is as if it were lost.
  void Close() { connection_.reset(); }

  Status BeginCopyIn(const std::string& sql);
  Status PutCopyData(std::span<const uint8_t> bytes);
  /// Has the server said something while we were sending? In a COPY that is an error, mostly.
  bool HasAnswer() const;
  Status EndCopyIn();
  /// Leaves a COPY without storing anything.
  void AbortCopyIn();

  Status BeginCopyOut(const std::string& sql);
  /// The next piece (a row, as libpq gives them); none at the end.
  Result<std::optional<std::string>> GetCopyData();

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  explicit Connection(PGconn* connection) : connection_(connection) {}
  Status WaitUntilConnected(const PostgreSQLConfig& config);
  Status Prepare(const PostgreSQLConfig& config);
  Status Failure(std::string_view operation, const PGresult* result) const;
  Status DrainResults(std::string_view operation);
  Status CommitError(const Status& error) const;

  std::unique_ptr<PGconn, Finish> connection_;
};

/// Up to `pool_size` connections, opened as they are needed.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  /// Gives its connection back when it goes out of scope; a broken one is closed. Keeps the pool.
  class Lease {
   public:
    Lease(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection)
        : pool_(std::move(pool)), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_ != nullptr) pool_->GiveBack(std::move(connection_));
    }
    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }

   private:
    std::shared_ptr<ConnectionPool> pool_;
    std::unique_ptr<Connection> connection_;
  };

  explicit ConnectionPool(PostgreSQLConfig config) : config_(std::move(config)) {}
  /// Waits while all connections are in use.
  Result<Lease> Take();
  /// None while all connections are in use.
  Result<std::optional<Lease>> TryTake();

 private:
  bool any_left() const { return !idle_.empty() || in_use_ < config_.pool_size; }
  Result<Lease> TakeOne(std::unique_lock<std::mutex> lock);
  void GiveBack(std::unique_ptr<Connection> connection);

  PostgreSQLConfig config_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  int in_use_ = 0;
};

}  // namespace amp::postgresql
