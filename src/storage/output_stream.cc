#include "storage/output_stream.h"

#include <arrow/buffer.h>

#include <utility>

namespace amp::storage {
namespace {

constexpr size_t kPiece = 256 << 10;

class ObjectStream final : public arrow::io::OutputStream {
 public:
  explicit ObjectStream(std::unique_ptr<OutputObject> object) : object_(std::move(object)) {}

  arrow::Status Close() override {
    if (object_ == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(Flush());
    ARROW_RETURN_NOT_OK(object_->Close());
    object_.reset();
    return Status::OK();
  }
  arrow::Status Abort() override {
    const auto object = std::exchange(object_, nullptr);
    return object == nullptr ? Status::OK() : object->Abort();
  }
  bool closed() const override { return object_ == nullptr; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, int64_t bytes) override {
    gathered_.append(static_cast<const char*>(data), static_cast<size_t>(bytes));
    position_ += bytes;
    return gathered_.size() < kPiece ? Status::OK() : Flush();
  }
  arrow::Status Write(const std::shared_ptr<arrow::Buffer>& buffer) override {
    if (static_cast<size_t>(buffer->size()) < kPiece) return Write(buffer->data(), buffer->size());
    ARROW_RETURN_NOT_OK(Flush());
    position_ += buffer->size();
    return Pass(buffer);
  }
  arrow::Status Flush() override {
    if (gathered_.empty()) return Status::OK();
    return Pass(arrow::Buffer::FromString(std::exchange(gathered_, {})));
  }

 private:
  arrow::Status Pass(std::shared_ptr<arrow::Buffer> bytes) {
    if (object_ == nullptr) return Status::Invalid("the object is closed");
    return object_->Write(std::move(bytes));
  }

  std::unique_ptr<OutputObject> object_;
  std::string gathered_;
  int64_t position_ = 0;
};

}  // namespace

std::shared_ptr<arrow::io::OutputStream> AsOutputStream(std::unique_ptr<OutputObject> object) {
  return std::make_shared<ObjectStream>(std::move(object));
}

}  // namespace amp::storage
