"""Delta tables that Ampload and Spark write in turn: `./dev interop-spark`.

Arguments: the command, and an empty folder. Prints what was compared; fails at the first
difference.
"""
import json
import pathlib
import re
import subprocess
import sys
import time

from pyspark.sql import SparkSession, functions as f

AMPLOAD = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2])
TARGET = f"delta:{FOLDER}"
BLOCKS = 300
PACKAGE = "io.delta:delta-spark_2.13:4.0.0"


def make_spark():
    return (SparkSession.builder.master("local[2]")
            .config("spark.jars.packages", PACKAGE)
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog",
                    "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            # Spark has no nanoseconds; as numbers they can be compared.
            .config("spark.sql.legacy.parquet.nanosAsLong", "true")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.shuffle.partitions", "4")
            .config("spark.databricks.delta.retentionDurationCheck.enabled", "false")
            .config("spark.ui.enabled", "false")
            .getOrCreate())


def ampload(*words):
    done = subprocess.run([AMPLOAD, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"ampload {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, not {wanted}")
    print(f"{what}: {found}", flush=True)


class Chain:
    """A simulated server with reorganisations, and what its rows are in the end."""

    def __init__(self, query):
        self.query = query
        self.canonical = FOLDER / "canonical.parquet"
        options = ["--blocks", str(BLOCKS), "--reorg-rate", "0.1"]
        ampload("simulate", *options, "--canonical", self.canonical, "--canonical-query", query)
        self.process = subprocess.Popen([AMPLOAD, "simulate", "--port", "0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            found = re.search(r"grpc://[^ ]+:\d+", line)
            if found:
                self.url = found[0].rstrip(".,;")
                break

    def stream(self, table):
        ampload("stream", "--from", self.url, "--query", self.query, "--to", TARGET, "--table", table,
                "--until", BLOCKS - 1, "--set", "commit_interval=20ms", "--set", "commit_rows=500",
                "--quiet")

    def verify(self, table):
        ampload("verify", "--from", self.url, "--query", self.query, "--to", TARGET, "--table",
                table)

    def end(self):
        self.process.kill()
        self.process.wait()


def table(spark, name):
    return spark.read.format("delta").load(str(FOLDER / name))


def rows_of(frame):
    """The columns of the source, with times as nanoseconds."""
    frame = frame.drop("_amp_batch_id")
    types = dict(frame.dtypes)
    return frame.select(*[
        (f.unix_micros(name) * 1000).cast("long").alias(name) if types[name] == "timestamp"
        else f.col(name) for name in frame.columns])


def expect_rows(what, found, wanted):
    found, wanted = rows_of(found), rows_of(wanted)
    expect(f"{what}: rows", found.count(), wanted.count())
    expect(f"{what}: rows that differ",
           found.exceptAll(wanted).count() + wanted.exceptAll(found).count(), 0)


def row_count(name):
    return json.loads(ampload("info", "--to", TARGET, "--table", name, "--output",
                              "json"))["row_count"]


def streams(spark):
    chain = Chain("SELECT * FROM eth.logs")
    chain.stream("logs")
    canonical = spark.read.parquet(str(chain.canonical))
    expect_rows("streamed", table(spark, "logs"), canonical)
    spark.sql(f"OPTIMIZE delta.`{FOLDER}/logs`")
    expect_rows("after Spark's OPTIMIZE", table(spark, "logs"), canonical)
    ampload("undo", "--to", TARGET, "--table", "logs", "--network", "eth", "--from-block",
            BLOCKS - 10)
    left = table(spark, "logs")
    expect("highest block after the undo of compacted files",
           left.agg(f.max("_block_num")).head()[0] < BLOCKS - 10, True)
    expect_rows("after the undo", left,
                canonical.where(f.col("_block_num") <= left.agg(f.max("_block_num")).head()[0]))
    chain.stream("logs")
    expect_rows("streamed again", table(spark, "logs"), canonical)
    chain.verify("logs")
    deletion_vectors(spark, chain)
    chain.end()


def deletion_vectors(spark, chain):
    spark.sql(f"ALTER TABLE delta.`{FOLDER}/logs` "
              "SET TBLPROPERTIES ('delta.enableDeletionVectors' = true)")
    spark.sql(f"DELETE FROM delta.`{FOLDER}/logs` WHERE log_index % 3 = 0")
    expect("rows after Spark's DELETE with deletion vectors", row_count("logs"),
           table(spark, "logs").count())
    ampload("undo", "--to", TARGET, "--table", "logs", "--network", "eth", "--from-block",
            BLOCKS - 10)
    chain.stream("logs")
    expect("rows after undo and stream above deletion vectors", row_count("logs"),
           table(spark, "logs").count())


def loads(spark):
    canonical = FOLDER / "canonical.parquet"
    ampload("load", "--from", canonical, "--to", TARGET, "--table", "parts", "--set",
            "partition_by=_block_num", "--where", "_block_num < 20")
    rows = spark.read.parquet(str(canonical))
    low = rows.where("_block_num < 20")
    expect_rows("partitioned", table(spark, "parts"), low)
    for _ in range(12):
        low.limit(1).withColumn("timestamp", f.timestamp_micros(f.expr("timestamp div 1000"))) \
            .write.format("delta").mode("append").save(str(FOLDER / "parts"))
    expect("rows after 12 appends of Spark", row_count("parts"), low.count() + 12)
    ampload("load", "--from", canonical, "--to", TARGET, "--table", "parts", "--where",
            "_block_num < 20")
    expect("rows after an append to them", table(spark, "parts").count(), 2 * low.count() + 12)
    ampload("load", "--from", canonical, "--to", TARGET, "--table", "parts", "--mode", "overwrite",
            "--where", "_block_num >= 280")
    expect_rows("overwritten", table(spark, "parts"), rows.where("_block_num >= 280"))
    old = spark.read.format("delta").option("versionAsOf", 0).load(str(FOLDER / "parts"))
    expect_rows("version 0", old, low)


def nested(spark):
    chain = Chain("SELECT * FROM eth.transactions")
    chain.stream("transactions")
    expect_rows("transactions, with lists of structs", table(spark, "transactions"),
                spark.read.parquet(str(chain.canonical)))
    chain.end()


spark = make_spark()
spark.sparkContext.setLogLevel("ERROR")
start = time.time()
streams(spark)
loads(spark)
nested(spark)
print(f"Spark {spark.version} and Ampload agree ({time.time() - start:.0f} s)")
