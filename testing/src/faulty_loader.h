#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amp/loader.h"

namespace amp::testing {

/// Where a loader fails.
enum class FaultStep {
  kWrite,         ///< the rows are written, then the connection breaks
  kUndo,          ///< the same after an undo
  kBeforeCommit,  ///< the commit does not take place
  kLostAnswer,    ///< the commit takes place, its answer is lost
};

/// The loader under test, but one of its steps fails once, in a way that may pass.
class FaultyLoader final : public Loader {
 public:
  /// `time`: counted from 1.
  FaultyLoader(Loader* inner, FaultStep step, int time) : inner_(inner), step_(step), left_(time) {}

  const LoaderTraits& traits() const override { return inner_->traits(); }
  std::string DescribeConfig() const override { return inner_->DescribeConfig(); }
  bool has_failed() const { return left_ == 0; }
  /// The error of this step now; OK where it works.
  Status At(FaultStep step);

 protected:
  Status ConnectImpl() override { return inner_->Connect(); }
  Status DisconnectImpl() override { return inner_->Disconnect(); }
  Result<std::unique_ptr<Transaction>> BeginTransactionImpl(const WriteSpec& spec) override;
  Result<StreamState> OpenStreamImpl(const StreamSpec& spec) override {
    return inner_->OpenStream(spec);
  }
  Result<std::vector<StreamState>> ReadStreamsImpl(const TableName& table) override {
    return inner_->ReadStreams(table);
  }

 private:
  Loader* inner_;
  FaultStep step_;
  int left_;
};

}  // namespace amp::testing
