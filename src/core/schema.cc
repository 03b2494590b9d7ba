#include "core/schema.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/extension_type.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <fmt/format.h>

#include "core/compute.h"

namespace amp {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

Result<TypePtr> PlainType(const TypePtr& type);

Result<std::shared_ptr<arrow::Field>> PlainField(const std::shared_ptr<arrow::Field>& field) {
  ARROW_ASSIGN_OR_RAISE(TypePtr type, PlainType(field->type()));
  return arrow::field(field->name(), std::move(type), field->nullable());
}

Result<TypePtr> PlainNested(const TypePtr& type) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const auto& field : type->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto plain, PlainField(field));
    fields.push_back(std::move(plain));
  }
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return arrow::struct_(fields);
    case arrow::Type::LIST:
      return arrow::list(fields[0]);
    case arrow::Type::LIST_VIEW:
      return arrow::list(fields[0]);
    case arrow::Type::LARGE_LIST_VIEW:
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(fields[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          fields[0], static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(
          fields[0], static_cast<const arrow::MapType&>(*type).keys_sorted());
    default:
      return MakeError(ErrorKind::kUnsupported,
                       fmt::format("type {} cannot be stored", type->ToString()));
  }
}

Result<TypePtr> PlainType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return PlainType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::RUN_END_ENCODED:
      return PlainType(static_cast<const arrow::RunEndEncodedType&>(*type).value_type());
    case arrow::Type::EXTENSION:
      return PlainType(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    default:
      return type->num_fields() > 0 || type->id() == arrow::Type::STRUCT ? PlainNested(type) : type;
  }
}

Result<std::shared_ptr<arrow::Array>> PlainArray(std::shared_ptr<arrow::Array> array,
                                                 const TypePtr& plain);

// A nested array over plain children: same offsets and validity, other child data.
Result<std::shared_ptr<arrow::Array>> PlainChildren(const arrow::Array& array,
                                                    const TypePtr& plain) {
  auto data = array.data()->Copy();
  data->type = plain;
  for (size_t i = 0; i < data->child_data.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto child, PlainArray(arrow::MakeArray(data->child_data[i]),
                                                 plain->field(static_cast<int>(i))->type()));
    data->child_data[i] = child->data();
  }
  return arrow::MakeArray(data);
}

// Not by Arrow's cast, which gives the list the view's offsets, one too few; nor by FromListView,
// which makes some empty lists null.
template <class List, class ListView>
Result<std::shared_ptr<arrow::Array>> ListOfView(const arrow::Array& array, const TypePtr& plain) {
  using Offset = typename List::offset_type;
  const auto& view = static_cast<const ListView&>(array);
  typename arrow::CTypeTraits<Offset>::BuilderType offsets;
  ARROW_RETURN_NOT_OK(offsets.Reserve(view.length() + 1));
  int64_t end = 0;
  for (int64_t i = 0; i < view.length(); ++i) {
    if (view.IsNull(i)) {
      offsets.UnsafeAppendNull();
    } else {
      offsets.UnsafeAppend(static_cast<Offset>(end));
      end += view.value_length(i);
    }
    if (!std::in_range<Offset>(end)) return Status::Invalid("lists of too many values in a batch");
  }
  offsets.UnsafeAppend(static_cast<Offset>(end));
  ARROW_ASSIGN_OR_RAISE(const auto starts, offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(auto values, view.Flatten());
  ARROW_ASSIGN_OR_RAISE(values, PlainArray(std::move(values), plain->field(0)->type()));
  return List::FromArrays(plain, *starts, *values);
}

Result<std::shared_ptr<arrow::Array>> DecodeRuns(const arrow::RunEndEncodedArray& runs,
                                                 const TypePtr& plain) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  ARROW_ASSIGN_OR_RAISE(auto values, PlainArray(runs.values(), plain));
  ARROW_ASSIGN_OR_RAISE(
      auto plain_runs,
      arrow::RunEndEncodedArray::Make(runs.length(), runs.run_ends(), values, runs.offset()));
  ARROW_ASSIGN_OR_RAISE(arrow::Datum decoded, arrow::compute::RunEndDecode(plain_runs));
  return decoded.make_array();
}

Result<std::shared_ptr<arrow::Array>> CastTo(const std::shared_ptr<arrow::Array>& array,
                                             const TypePtr& type) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, arrow::compute::Cast(array, type));
  return cast.make_array();
}

Result<std::shared_ptr<arrow::Array>> PlainArray(std::shared_ptr<arrow::Array> array,
                                                 const TypePtr& plain) {
  if (array->type()->Equals(*plain, /*check_metadata=*/false)) return array;
  switch (array->type_id()) {
    case arrow::Type::EXTENSION:
      return PlainArray(static_cast<const arrow::ExtensionArray&>(*array).storage(), plain);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
      ARROW_ASSIGN_OR_RAISE(auto values, PlainArray(dictionary.dictionary(), plain));
      return arrow::compute::Take(*values, *dictionary.indices());
    }
    case arrow::Type::RUN_END_ENCODED:
      return DecodeRuns(static_cast<const arrow::RunEndEncodedArray&>(*array), plain);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return CastTo(array, plain);
    case arrow::Type::LIST_VIEW:
      return ListOfView<arrow::ListArray, arrow::ListViewArray>(*array, plain);
    case arrow::Type::LARGE_LIST_VIEW:
      return ListOfView<arrow::LargeListArray, arrow::LargeListViewArray>(*array, plain);
    default:
      return PlainChildren(*array, plain);
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> PlainSchema(const arrow::Schema& schema) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const auto& field : schema.fields()) {
    auto plain = PlainField(field);
    if (!plain.ok()) {
      return WithContext(plain.status(), fmt::format("column '{}'", field->name()));
    }
    fields.push_back(*std::move(plain));
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> ToPlain(const arrow::RecordBatch& batch,
                                                    const std::shared_ptr<arrow::Schema>& plain) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  columns.reserve(batch.num_columns());
  for (int i = 0; i < batch.num_columns(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto column, PlainArray(batch.column(i), plain->field(i)->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(plain, batch.num_rows(), std::move(columns));
}

std::string FirstFew(const std::vector<std::string>& parts) {
  constexpr size_t kShown = 8;
  if (parts.size() <= kShown) return fmt::format("{}", fmt::join(parts, "; "));
  return fmt::format("{}; … and {} more", fmt::join(parts.begin(), parts.begin() + kShown, "; "),
                     parts.size() - kShown);
}

Result<std::vector<int>> MatchColumns(const arrow::Schema& have, const arrow::Schema& incoming,
                                      const std::string& table) {
  std::vector<int> places;
  std::vector<std::string> wrong;
  for (const auto& field : have.fields()) {
    const int place = incoming.GetFieldIndex(field->name());
    places.push_back(place);
    if (place < 0) {
      wrong.push_back(fmt::format("column '{}' is missing in the data", field->name()));
    } else if (!incoming.field(place)->type()->Equals(*field->type())) {
      wrong.push_back(fmt::format("column '{}' is {} in the table and {} in the data",
                                  field->name(), field->type()->ToString(),
                                  incoming.field(place)->type()->ToString()));
    }
  }
  for (const auto& field : incoming.fields()) {
    if (have.GetFieldIndex(field->name()) < 0) {
      wrong.push_back(fmt::format("column '{}' is not in the table", field->name()));
    }
  }
  if (wrong.empty()) return places;
  return MakeError(ErrorKind::kSchemaMismatch,
                   fmt::format("table '{}' has other columns than the data: {}. Choose another "
                               "table, or bring the columns in line with --columns",
                               table, FirstFew(wrong)));
}

std::string SchemaToText(const arrow::Schema& schema) {
  const auto message = arrow::ipc::SerializeSchema(schema);
  return arrow::util::base64_encode(std::string_view(*message.ValueOrDie()));
}

Result<std::shared_ptr<arrow::Schema>> SchemaFromText(const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(const std::string bytes, arrow::util::base64_decode(text));
  arrow::io::BufferReader input(arrow::Buffer::FromString(bytes));
  arrow::ipc::DictionaryMemo memo;
  return arrow::ipc::ReadSchema(&input, &memo);
}

}  // namespace amp
