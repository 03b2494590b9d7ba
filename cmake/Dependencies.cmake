# What Ampload needs besides Arrow. A loader whose client library is missing is not built.

find_package(CLI11 REQUIRED)
find_package(CURL 7.84 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(pugixml CONFIG REQUIRED)
# Metrics: its core; for HTTP, the server it uses itself.
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(civetweb CONFIG REQUIRED)
find_package(spdlog REQUIRED)
find_package(Threads REQUIRED)

find_package(PostgreSQL)
find_path(LMDB_INCLUDE_DIR lmdb.h)
find_library(LMDB_LIBRARY lmdb)
