#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/stream.h"

/// Where streams come from.
namespace amp {

/// A reorganisation that a program tells of; servers show it in the ranges that follow.
struct ReorgNotice {
  std::string network;
  uint64_t first_block = 0;  ///< this block and all after it are orphaned
};

/// One message of a stream: part of a microbatch, its end, or a notice.
struct StreamMessage {
  std::shared_ptr<arrow::RecordBatch> batch = {};  ///< null or without rows: nothing to store
  std::vector<BlockRange> ranges = {};             ///< at most one a network
  bool ranges_complete = false;                    ///< the microbatch ends with this message
  std::optional<ReorgNotice> reorg = {};           ///< with it, the other members mean nothing
};

/// One connection of a stream. Belongs to one thread, but for Cancel.
class AMP_EXPORT StreamConnection {
 public:
  virtual ~StreamConnection();
  /// Of every batch.
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  /// Waits for the next message; none when the other side has ended the stream. Errors: Protocol
  /// for what cannot be read; Unavailable, Unauthenticated, … by kind.
  virtual Result<std::optional<StreamMessage>> Next() = 0;
  /// Makes a Next that waits on another thread return soon, with Cancelled.
  virtual void Cancel() = 0;
};

/// Something that can be asked for a stream again and again.
class AMP_EXPORT StreamSource {
 public:
  virtual ~StreamSource();
  /// Opens the stream after the given ranges' ends, one a network; from the beginning where there
  /// are none. A source that finds a range orphaned starts from the last common ancestor.
  virtual Result<std::unique_ptr<StreamConnection>> Connect(
      const std::vector<BlockRange>& resume) = 0;
  /// Whether more may always come: the end of a connection is then an interruption, and the rules
  /// of an Amp server's stream hold. Else the end is the end, and the messages are a program's
  /// events: gaps are allowed, and each set of networks is a stream of its own.
  virtual bool endless() const { return true; }
  /// Where the stream comes from, for messages; without secrets.
  virtual std::string Describe() const = 0;
  /// What is asked, such as SQL: a stream is fixed to it.
  virtual std::string query() const = 0;
};

}  // namespace amp
