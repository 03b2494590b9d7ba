#include "sources/files/data_file.h"

#include <arrow/io/compressed.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <array>

#include "sources/files/find_files.h"
#include "sources/files/standard_input.h"

namespace amp {
namespace {

struct Ending {
  std::string_view text;
  FileFormat format;
};

constexpr std::array<Ending, 10> kEndings{{{".parquet", FileFormat::kParquet},
                                           {".pq", FileFormat::kParquet},
                                           {".arrow", FileFormat::kArrow},
                                           {".arrows", FileFormat::kArrow},
                                           {".feather", FileFormat::kArrow},
                                           {".ipc", FileFormat::kArrow},
                                           {".csv", FileFormat::kCsv},
                                           {".jsonl", FileFormat::kJsonLines},
                                           {".ndjson", FileFormat::kJsonLines},
                                           {".json", FileFormat::kJsonLines}}};

constexpr std::array<std::string_view, 4> kFormatNames{"parquet", "arrow", "csv", "jsonl"};

constexpr std::string_view kParquetMagic = "PAR1";
constexpr std::string_view kArrowFileMagic = "ARROW1";
// An Arrow stream starts with the continuation marker of its first message.
constexpr std::string_view kArrowStreamMagic = "\xFF\xFF\xFF\xFF";

Status FileError(const std::string& path, ErrorKind kind, std::string_view why) {
  return MakeError({.kind = kind, .side = ErrorSide::kSource, .target = path},
                   fmt::format("file '{}': {}", path, why));
}

// What tells formats apart where the name does not.
Result<std::string> ReadStart(arrow::io::RandomAccessFile* input) {
  constexpr int64_t kStart = 8;
  ARROW_ASSIGN_OR_RAISE(const auto start, input->ReadAt(0, kStart));
  ARROW_RETURN_NOT_OK(input->Seek(0));
  return start->ToString();
}

std::optional<FileFormat> FormatOfContent(std::string_view start) {
  if (start.starts_with(kParquetMagic)) return FileFormat::kParquet;
  if (start.starts_with(kArrowFileMagic) || start.starts_with(kArrowStreamMagic)) {
    return FileFormat::kArrow;
  }
  return std::nullopt;
}

using InputPtr = std::shared_ptr<arrow::io::InputStream>;

// Text may be gzip or zstd compressed.
Result<InputPtr> OpenText(const std::string& path, InputPtr input) {
  const auto type = path.ends_with(".gz")    ? arrow::Compression::GZIP
                    : path.ends_with(".zst") ? arrow::Compression::ZSTD
                                             : arrow::Compression::UNCOMPRESSED;
  if (type == arrow::Compression::UNCOMPRESSED) return input;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::util::Codec> codec,
                        arrow::util::Codec::Create(type));
  ARROW_ASSIGN_OR_RAISE(InputPtr unpacked,
                        arrow::io::CompressedInputStream::Make(codec.get(), input));
  // The stream keeps a bare pointer to its codec.
  return InputPtr(unpacked.get(), [unpacked, codec](auto*) mutable { unpacked.reset(); });
}

Result<std::unique_ptr<DataFile>> OpenStandardInput(const FileSourceOptions& options) {
  InputPtr input = std::make_shared<StandardInput>(options.stop);
  switch (options.format.value_or(FileFormat::kArrow)) {
    case FileFormat::kArrow:
      return OpenArrowStream(input);
    case FileFormat::kCsv:
      return OpenCsv(std::move(input));
    case FileFormat::kJsonLines:
      return OpenJsonLines(std::move(input));
    case FileFormat::kParquet:
      break;
  }
  return MakeError(ErrorKind::kConfigInvalid,
                   "Parquet cannot be read from standard input, as it is read from its end; "
                   "save it to a file first");
}

Result<std::unique_ptr<DataFile>> OpenArrow(const std::string& path, RandomAccessFilePtr input) {
  ARROW_ASSIGN_OR_RAISE(const std::string start, ReadStart(input.get()));
  if (!start.starts_with(kArrowFileMagic)) return OpenArrowStream(input);
  return OpenArrowFile(std::move(input), InputFiles::IsRemote(path) ? "" : path);
}

Result<std::unique_ptr<DataFile>> OpenNamed(const std::string& path, RandomAccessFilePtr input,
                                            FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return OpenParquetFile(std::move(input));
    case FileFormat::kArrow:
      return OpenArrow(path, std::move(input));
    case FileFormat::kCsv: {
      ARROW_ASSIGN_OR_RAISE(InputPtr text, OpenText(path, std::move(input)));
      return OpenCsv(std::move(text));
    }
    case FileFormat::kJsonLines: {
      ARROW_ASSIGN_OR_RAISE(InputPtr text, OpenText(path, std::move(input)));
      return OpenJsonLines(std::move(text));
    }
  }
  return Status::UnknownError("no such file format");
}

}  // namespace

std::string_view ToString(FileFormat format) { return kFormatNames[static_cast<size_t>(format)]; }

Result<FileFormat> ParseFileFormat(std::string_view text) {
  for (size_t i = 0; i < kFormatNames.size(); ++i) {
    if (kFormatNames[i] == text) return static_cast<FileFormat>(i);
  }
  return MakeError(
      ErrorKind::kConfigInvalid,
      fmt::format("'{}' is not a file format. There are: {}", text, fmt::join(kFormatNames, ", ")));
}

std::optional<FileFormat> FormatOfName(std::string_view path) {
  // Only text is compressed as a whole.
  const bool compressed = path.ends_with(".gz") || path.ends_with(".zst");
  if (compressed) path = path.substr(0, path.rfind('.'));
  for (const auto& [text, format] : kEndings) {
    const bool is_text = format == FileFormat::kCsv || format == FileFormat::kJsonLines;
    if (path.ends_with(text) && (is_text || !compressed)) return format;
  }
  return std::nullopt;
}

Result<std::unique_ptr<DataFile>> OpenDataFile(InputFiles* files, const std::string& path,
                                               const FileSourceOptions& options) {
  if (path == kStandardInput) {
    auto opened = OpenStandardInput(options);
    if (opened.ok()) return opened;
    return WithSide(WithContext(opened.status(), "standard input"), ErrorSide::kSource);
  }
  ARROW_ASSIGN_OR_RAISE(RandomAccessFilePtr input, files->Open(path));
  std::optional<FileFormat> format = options.format;
  if (!format) format = FormatOfName(path);
  if (!format) {
    ARROW_ASSIGN_OR_RAISE(const std::string start, ReadStart(input.get()));
    format = FormatOfContent(start);
  }
  if (!format) {
    return FileError(path, ErrorKind::kConfigInvalid,
                     "neither name nor content tell its format; say --format "
                     "parquet|arrow|csv|jsonl");
  }
  auto opened = OpenNamed(path, std::move(input), *format);
  if (opened.ok()) return opened;
  const Status& status = opened.status();
  return WithSide(
      WithContext(status, fmt::format("file '{}': cannot be read as {}", path, ToString(*format))),
      ErrorSide::kSource);
}

}  // namespace amp
