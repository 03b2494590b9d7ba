#include "storage/s3_xml.h"

#include <charconv>
#include <pugixml.hpp>
#include <sstream>

#include "storage/iso_time.h"

namespace amp::storage {
namespace {

Status NoSuchDocument(std::string_view wanted) {
  return MakeError(ErrorKind::kProtocol, "the answer is no S3 document '" + std::string(wanted) +
                                             "'; is this the address of an S3 server?");
}

/// The document's root, which must be `name`.
Result<pugi::xml_node> Parse(pugi::xml_document* document, std::string_view body,
                             const char* name) {
  const auto parsed = document->load_buffer(body.data(), body.size(),
                                            pugi::parse_default | pugi::parse_ws_pcdata_single);
  const pugi::xml_node root = document->child(name);
  if (!parsed || !root) return NoSuchDocument(name);
  return root;
}

S3Failure FailureOf(const pugi::xml_node& node) {
  return {.code = node.child_value("Code"),
          .message = node.child_value("Message"),
          .region = node.child_value("Region")};
}

std::string Text(const pugi::xml_document& document) {
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  return text.str();
}

void AddText(pugi::xml_node parent, const char* name, const std::string& value) {
  parent.append_child(name).text().set(value.c_str());
}

Result<ObjectInfo> ObjectOf(const pugi::xml_node& node) {
  ObjectInfo object{.path = node.child_value("Key")};
  const std::string size = node.child_value("Size");
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
  if (object.path.empty() || error != std::errc() || end != size.data() + size.size()) {
    return NoSuchDocument("ListBucketResult");
  }
  object.modified_at = ParseIsoMillis(node.child_value("LastModified")).value_or(0);
  return object;
}

}  // namespace

S3Failure ParseS3Failure(std::string_view body) {
  pugi::xml_document document;
  const auto error = Parse(&document, body, "Error");
  return error.ok() ? FailureOf(*error) : S3Failure{};
}

Result<S3Page> ParseS3Page(std::string_view body) {
  pugi::xml_document document;
  ARROW_ASSIGN_OR_RAISE(const auto root, Parse(&document, body, "ListBucketResult"));
  S3Page page;
  for (const pugi::xml_node& node : root.children("Contents")) {
    ARROW_ASSIGN_OR_RAISE(ObjectInfo object, ObjectOf(node));
    page.objects.push_back(std::move(object));
  }
  if (std::string_view(root.child_value("IsTruncated")) != "true") return page;
  page.next = root.child_value("NextContinuationToken");
  if (page.next.empty()) return NoSuchDocument("ListBucketResult");
  return page;
}

std::string DeleteDocument(const std::vector<std::string>& keys) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("Delete");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  AddText(root, "Quiet", "true");
  for (const std::string& key : keys) AddText(root.append_child("Object"), "Key", key);
  return Text(document);
}

Result<S3NotDeleted> ParseDeleteResult(std::string_view body) {
  pugi::xml_document document;
  ARROW_ASSIGN_OR_RAISE(const auto root, Parse(&document, body, "DeleteResult"));
  for (const pugi::xml_node& node : root.children("Error")) {
    S3NotDeleted result{.key = node.child_value("Key"), .failure = FailureOf(node)};
    if (result.failure.code != "NoSuchKey") return result;
  }
  return S3NotDeleted{};
}

Result<std::string> ParseUploadId(std::string_view body) {
  pugi::xml_document document;
  ARROW_ASSIGN_OR_RAISE(const auto root, Parse(&document, body, "InitiateMultipartUploadResult"));
  std::string id = root.child_value("UploadId");
  if (id.empty()) return NoSuchDocument("InitiateMultipartUploadResult");
  return id;
}

std::string CompleteDocument(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (size_t i = 0; i < etags.size(); ++i) {
    pugi::xml_node part = root.append_child("Part");
    AddText(part, "PartNumber", std::to_string(i + 1));
    AddText(part, "ETag", etags[i]);
  }
  return Text(document);
}

}  // namespace amp::storage
