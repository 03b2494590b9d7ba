#pragma once

#include <memory>
#include <string>

#include "amp/export.h"
#include "storage/aws_profile.h"
#include "storage/object_store.h"
#include "storage/s3_config.h"

namespace amp::storage {

struct StoreConfig {
  S3Config s3 = {};
  Environment environment = ProcessEnvironment();
};

/// "s3://bucket/a/b" in parts, as they are: neither is URL-encoded.
struct S3Uri {
  std::string bucket;
  std::string key;  ///< without the first slash; may be empty
};
/// ConfigInvalid for one without a bucket, with credentials, or with parameters.
Result<S3Uri> ParseS3Uri(const std::string& uri);

/// Does this name a place that is reached by a protocol, not by a path: "s3://…", "gs://…"?
bool IsRemoteUri(std::string_view uri);

/// The store of a folder (a path, or `file://` and one) or of a bucket (`s3://bucket/prefix`).
/// Nothing is looked at yet: the place need not be there. Unsupported for other schemes.
AMP_EXPORT Result<std::shared_ptr<ObjectStore>> OpenStore(const std::string& uri,
                                                          const StoreConfig& config);

}  // namespace amp::storage
