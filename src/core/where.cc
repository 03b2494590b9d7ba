#include "core/where.h"

#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "amp/config.h"
#include "core/text.h"
#include "core/time_text.h"

namespace amp {
namespace {

namespace cp = arrow::compute;

enum class Kind { kName, kQuotedName, kText, kLiteral, kOperator, kEnd };

struct Token {
  Kind kind = Kind::kEnd;
  std::string text;
  size_t at = 0;
};

bool IsWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Result<Token> Next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    const size_t start = at_;
    if (at_ == text_.size()) return Token{Kind::kEnd, "", start};
    const char c = text_[at_];
    if (c == '"') return Quoted('"', Kind::kQuotedName);
    if (c == '\'') return Quoted('\'', Kind::kText);
    const bool starts_number =
        std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+' || c == '.';
    if (starts_number)
      return Token{Kind::kLiteral,
                   Take([](char d) { return IsWord(d) || d == '.' || d == '-' || d == '+'; }),
                   start};
    if (IsWord(c)) return Token{Kind::kName, Take(IsWord), start};
    for (std::string_view op : {"!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","}) {
      if (text_.substr(at_).starts_with(op)) {
        at_ += op.size();
        return Token{Kind::kOperator, std::string(op == "<>" ? "!=" : op), start};
      }
    }
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("--where: unexpected '{}' at character {}", c, start + 1));
  }

 private:
  template <class Accept>
  std::string Take(Accept accept) {
    const size_t start = at_;
    while (at_ < text_.size() && accept(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  // A quote inside is written twice.
  Result<Token> Quoted(char quote, Kind kind) {
    const size_t start = at_++;
    std::string content;
    while (at_ < text_.size()) {
      if (text_[at_] == quote) {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != quote) {
          ++at_;
          return Token{kind, content, start};
        }
        ++at_;
      }
      content.push_back(text_[at_++]);
    }
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("--where: the {} at character {} has no end", quote, start + 1));
  }

  std::string_view text_;
  size_t at_ = 0;
};

using ScalarPtr = std::shared_ptr<arrow::Scalar>;

std::optional<int64_t> ParseTime(const std::string& text, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DATE32:
      return ParseDate(text);
    case arrow::Type::TIMESTAMP:
      return ParseTimestamp(text, static_cast<const arrow::TimestampType&>(type).unit());
    default:
      return std::nullopt;
  }
}

// 1.5 and 1.500 are the same where the column has two digits after the point; 1.555 is none of its
// values.
template <class Decimal, class DecimalScalar>
Result<ScalarPtr> ParseDecimalLiteral(const std::string& text,
                                      const std::shared_ptr<arrow::DataType>& type) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  Decimal value;
  int32_t precision = 0;
  int32_t scale = 0;
  ARROW_RETURN_NOT_OK(Decimal::FromString(text, &value, &precision, &scale));
  ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, decimal.scale()));
  if (!value.FitsInPrecision(decimal.precision())) return Status::Invalid("it has too many digits");
  return std::make_shared<DecimalScalar>(value, type);
}

Result<ScalarPtr> ParseDecimalLiteral(const std::string& text,
                                      const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::DECIMAL32:
      return ParseDecimalLiteral<arrow::Decimal32, arrow::Decimal32Scalar>(text, type);
    case arrow::Type::DECIMAL64:
      return ParseDecimalLiteral<arrow::Decimal64, arrow::Decimal64Scalar>(text, type);
    case arrow::Type::DECIMAL128:
      return ParseDecimalLiteral<arrow::Decimal128, arrow::Decimal128Scalar>(text, type);
    default:
      return ParseDecimalLiteral<arrow::Decimal256, arrow::Decimal256Scalar>(text, type);
  }
}

// A literal as a value of its column's type, so that it means what the column's values mean.
Result<ScalarPtr> ParseLiteral(const std::string& text,
                               const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::DICTIONARY) {
    return ParseLiteral(text, static_cast<const arrow::DictionaryType&>(*type).value_type());
  }
  if (arrow::is_binary(type->id()) || type->id() == arrow::Type::FIXED_SIZE_BINARY) {
    if (text.starts_with("0x")) {
      if (const auto bytes = HexDecode(std::string_view(text).substr(2))) {
        return arrow::MakeScalar(type, arrow::Buffer::FromString(*bytes));
      }
    }
    return Status::Invalid("bytes are written as 0x and pairs of hex digits");
  }
  if (arrow::is_decimal(type->id())) return ParseDecimalLiteral(text, type);
  if (type->id() == arrow::Type::STRING_VIEW) {
    return arrow::MakeScalar(type, arrow::Buffer::FromString(text));
  }
  if (const auto time = ParseTime(text, *type)) {
    if (type->id() == arrow::Type::DATE32) {
      return arrow::MakeScalar(type, static_cast<int32_t>(*time));
    }
    return arrow::MakeScalar(type, *time);
  }
  return arrow::Scalar::Parse(type, text);
}

class Parser {
 public:
  Parser(std::string_view text, const arrow::Schema& schema) : tokens_(text), schema_(schema) {}

  Result<Where> Parse() {
    std::vector<cp::Expression> terms;
    ARROW_RETURN_NOT_OK(Advance());
    while (true) {
      ARROW_ASSIGN_OR_RAISE(cp::Expression term, ParseTerm());
      terms.push_back(std::move(term));
      if (token_.kind == Kind::kEnd) break;
      if (!IsWordToken("AND")) return Wrong("AND or the end");
      ARROW_RETURN_NOT_OK(Advance());
    }
    return Where{cp::and_(terms), columns_};
  }

 private:
  Status Advance() { return tokens_.Next().Value(&token_); }

  Status Wrong(std::string_view wanted) const {
    const std::string found =
        token_.kind == Kind::kEnd ? "the end" : fmt::format("'{}'", token_.text);
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("--where: expected {} at character {}, found {}", wanted,
                                 token_.at + 1, found));
  }

  bool IsWordToken(std::string_view word) const {
    return token_.kind == Kind::kName && token_.text.size() == word.size() &&
           std::equal(word.begin(), word.end(), token_.text.begin(), [](char a, char b) {
             return a == std::toupper(static_cast<unsigned char>(b));
           });
  }
  bool IsOperator(std::string_view op) const {
    return token_.kind == Kind::kOperator && token_.text == op;
  }

  Result<cp::Expression> ParseTerm() {
    if (token_.kind != Kind::kName && token_.kind != Kind::kQuotedName) return Wrong("a column");
    const int place = schema_.GetFieldIndex(token_.text);
    if (place < 0) {
      const std::string nearest = NearestName(token_.text, schema_.field_names());
      return MakeError(
          ErrorKind::kConfigInvalid,
          fmt::format("--where: there is no column '{}'; {}", token_.text,
                      nearest.empty()
                          ? fmt::format("there are: {}", fmt::join(schema_.field_names(), ", "))
                          : fmt::format("did you mean '{}'?", nearest)));
    }
    field_ = schema_.field(place);
    columns_.push_back(field_->name());
    // By place in a one-step path: a name may hold dots.
    const cp::Expression column = cp::field_ref(arrow::FieldRef(field_->name()));
    ARROW_RETURN_NOT_OK(Advance());
    if (IsWordToken("IS")) return ParseIsNull(column);
    if (IsWordToken("IN")) return ParseIn(column);
    return ParseComparison(column);
  }

  Result<cp::Expression> ParseIsNull(const cp::Expression& column) {
    ARROW_RETURN_NOT_OK(Advance());
    const bool negated = IsWordToken("NOT");
    if (negated) ARROW_RETURN_NOT_OK(Advance());
    if (!IsWordToken("NULL")) return Wrong("NULL");
    ARROW_RETURN_NOT_OK(Advance());
    return negated ? cp::is_valid(column) : cp::is_null(column);
  }

  Result<cp::Expression> ParseIn(const cp::Expression& column) {
    ARROW_RETURN_NOT_OK(Advance());
    if (!IsOperator("(")) return Wrong("(");
    std::vector<cp::Expression> choices;
    do {
      ARROW_RETURN_NOT_OK(Advance());
      ARROW_ASSIGN_OR_RAISE(ScalarPtr value, ReadLiteral());
      choices.push_back(cp::equal(column, cp::literal(std::move(value))));
    } while (IsOperator(","));
    if (!IsOperator(")")) return Wrong(", or )");
    ARROW_RETURN_NOT_OK(Advance());
    return cp::or_(choices);
  }

  Result<cp::Expression> ParseComparison(const cp::Expression& column) {
    using Make = cp::Expression (*)(cp::Expression, cp::Expression);
    constexpr std::array<std::pair<std::string_view, Make>, 6> kOperators{
        {{"=", cp::equal},
         {"!=", cp::not_equal},
         {"<", cp::less},
         {"<=", cp::less_equal},
         {">", cp::greater},
         {">=", cp::greater_equal}}};
    for (const auto& [text, make] : kOperators) {
      if (!IsOperator(text)) continue;
      ARROW_RETURN_NOT_OK(Advance());
      ARROW_ASSIGN_OR_RAISE(ScalarPtr value, ReadLiteral());
      return make(column, cp::literal(std::move(value)));
    }
    return Wrong("one of = != < <= > >= IN, IS NULL, IS NOT NULL");
  }

  Result<ScalarPtr> ReadLiteral() {
    const bool word = IsWordToken("TRUE") || IsWordToken("FALSE");
    if (token_.kind != Kind::kLiteral && token_.kind != Kind::kText && !word) {
      return Wrong("a number, a 'text', true or false");
    }
    auto value = ParseLiteral(token_.text, field_->type());
    if (!value.ok()) {
      return MakeError(
          ErrorKind::kConfigInvalid,
          fmt::format("--where: '{}' is not a value of column '{}', which is {}: {}", token_.text,
                      field_->name(), field_->type()->ToString(), value.status().message()));
    }
    ARROW_RETURN_NOT_OK(Advance());
    return value;
  }

  Tokenizer tokens_;
  const arrow::Schema& schema_;
  Token token_;
  std::shared_ptr<arrow::Field> field_;
  std::vector<std::string> columns_;
};

}  // namespace

Result<Where> ParseWhere(std::string_view text, const arrow::Schema& schema) {
  return Parser(text, schema).Parse();
}

}  // namespace amp
