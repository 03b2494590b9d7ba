#include "loaders/postgresql/batch_index.h"

#include "amp/stream.h"
#include "core/log.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {
namespace {

constexpr std::string_view kSummarising = "summarising the index";

}  // namespace

Result<std::optional<BatchIndex>> FindBatchIndex(Connection& connection, uint32_t table_id) {
  // Its first column must be ours; it must hold all rows. A btree of the user's is as good.
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows,
      connection.Query(
          "SELECT c.oid::int8, CASE WHEN m.amname = 'brin' AND c.relkind = 'i' THEN"
          " coalesce((SELECT option_value::int8 FROM pg_options_to_table(c.reloptions)"
          " WHERE option_name = 'pages_per_range'), 128) ELSE 0 END"
          " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam"
          " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
          " WHERE i.indrelid = $1::oid AND a.attname = $2 AND i.indisvalid AND i.indpred IS NULL"
          " AND m.amname IN ('brin', 'btree') ORDER BY m.amname = 'btree' LIMIT 1",
          "looking for the index on batch ids",
          {std::to_string(table_id), std::string(kBatchIdColumn)}));
  if (rows.size() == 0) return std::nullopt;
  return BatchIndex{.id = static_cast<uint32_t>(rows.integer(0, 0)),
                    .pages_per_range = rows.integer(0, 1)};
}

Status MakeBatchIndex(Connection& connection, const std::string& qualified) {
  // minmax_multi keeps several intervals a range: where several streams write, a single one would
  // span all ids between theirs.
  return connection
      .Execute(fmt::format("CREATE INDEX ON {} USING brin ({} int8_minmax_multi_ops)"
                           " WITH (pages_per_range = 128, autosummarize = on)",
                           qualified, QuoteName(kBatchIdColumn)),
               "creating the index on batch ids")
      .status();
}

// What is being summarised is not waited for: the server goes on with it. The pool is not to have a
// connection that is busy.
RangeSummaries::~RangeSummaries() {
  if (at_work_ && !TakeAnswer()) (*at_work_)->Close();
}

void RangeSummaries::SummariseUpTo(Connection& connection, int64_t pages) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !TakeAnswer()) return;  // another connection is at it
  const int64_t full = FullRangesEnd(pages);
  if (IsDue(full)) Run(connection, full);
}

void RangeSummaries::SummariseMeanwhile(ConnectionPool* pool, Connection& connection,
                                        int64_t pages) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !TakeAnswer()) return;
  const int64_t full = FullRangesEnd(pages);
  if (!IsDue(full)) return;
  auto other = pool->TryTake();
  if (!other.ok() || !*other) {
    Run(connection, full);
    return;
  }
  at_work_.emplace(*std::move(*other));
  page_at_work_ = full;
  const Status sent = (*at_work_)->Send(SqlFor(full), kSummarising);
  if (sent.ok()) return;
  NoteFailure(sent);
  at_work_.reset();
}

int64_t RangeSummaries::FullRangesEnd(int64_t pages) const {
  return index_.pages_per_range == 0 ? 0 : pages / index_.pages_per_range * index_.pages_per_range;
}

bool RangeSummaries::IsDue(int64_t full) const {
  return full > next_page_ && std::chrono::steady_clock::now() >= not_before_;
}

std::string RangeSummaries::SqlFor(int64_t full) const {
  constexpr int64_t kManyRanges = 64;
  const std::string call =
      full - next_page_ > kManyRanges * index_.pages_per_range
          ? fmt::format("SELECT brin_summarize_new_values({}::oid::regclass)", index_.id)
          : fmt::format(
                "SELECT count(brin_summarize_range({}::oid::regclass, page)) FROM"
                " generate_series({}::int8, {}, {}) page",
                index_.id, next_page_, full - 1, index_.pages_per_range);
  return fmt::format("BEGIN; SET LOCAL lock_timeout = '20ms'; {}; COMMIT", call);
}

// The rows are committed whatever happens here, so nothing of it is an error: what was not
// summarised is tried again later. VACUUM has a lock that keeps these statements out for as long as
// it runs; it is not waited for, as it summarises by itself.
void RangeSummaries::Run(Connection& connection, int64_t full) {
  Judge(connection, connection.ExecuteAll(SqlFor(full), kSummarising).status(), full);
}

bool RangeSummaries::TakeAnswer() {
  if (!at_work_) return true;
  Connection& connection = **at_work_;
  if (!connection.HasWholeAnswer()) return false;
  Judge(connection, connection.TakeAnswer(kSummarising).status(), page_at_work_);
  at_work_.reset();
  return true;
}

void RangeSummaries::Judge(Connection& connection, const Status& done, int64_t full) {
  if (done.ok()) {
    next_page_ = full;
    return;
  }
  NoteFailure(done);
  if (!connection.usable()) return;
  const auto ended = connection.Execute("ROLLBACK", "rollback");
  if (!ended.ok()) Log().debug("rolling back: {}", ended.status().message());
}

void RangeSummaries::NoteFailure(const Status& status) {
  using std::chrono_literals::operator""h, std::chrono_literals::operator""s;
  const bool not_ours = KindOf(status) == ErrorKind::kUnauthenticated;
  not_before_ = std::chrono::steady_clock::now() + (not_ours ? std::chrono::seconds(1h) : 5s);
  if (not_ours) {
    Log().warn(
        "the index on batch ids belongs to another role, so that undoing batches is slow "
        "until VACUUM has run: {}",
        status.message());
  }
  Log().debug("{}", status.message());
}

}  // namespace amp::postgresql
