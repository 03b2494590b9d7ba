#pragma once

#include <arrow/type_fwd.h>

#include <optional>
#include <string>
#include <vector>

namespace amp {

/// In which form values of two types are compared: equal values have one form, whatever the types.
struct ValueForm {
  enum class Kind {
    kBool,
    kNumber,    ///< whole numbers and decimals, by value; also as text
    kReal,      ///< floating point, widened exactly; 0 and -0 are one, all NaN are one
    kBytes,     ///< text and binary
    kDate,      ///< milliseconds since 1970
    kTime,      ///< nanoseconds of the day
    kClock,     ///< a timestamp without a zone: nanoseconds since 1970
    kInstant,   ///< a timestamp with a zone: the same
    kInterval,  ///< months, days, nanoseconds; also as text
    kList,      ///< of any layout; also as PostgreSQL's text of an array
    kStruct,    ///< fields by name
    kMap,       ///< entries in any order
    kJson,      ///< as core/json_text.h renders it: members in any order, numbers as doubles
    kNull,      ///< never a value
  };
  Kind kind = Kind::kNull;
  std::vector<ValueForm> children = {};
  std::vector<std::string> names = {};  ///< of a struct's fields, one a child
};

/// A type, with what is lost when an extension becomes its storage.
struct TypedAs {
  const arrow::DataType& type;  ///< plain (see PlainSchema)
  bool json = false;            ///< its text is JSON
};

/// None where values of the two types cannot be compared.
std::optional<ValueForm> CommonForm(const TypedAs& a, const TypedAs& b);

/// Is it an extension whose text is JSON?
bool IsJsonText(const arrow::DataType& type);

}  // namespace amp
