"""What bench/delta.mjs measures, by delta-rs: one part a process. Arguments: part, folder or URI, numbers. Prints JSON."""
import json
import os
import resource
import statistics
import sys
import threading
import time

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

part, uri = sys.argv[1:3]
numbers = [int(text) for text in sys.argv[3:]]
storage = json.loads(os.environ.get("BENCH_STORAGE", "{}"))


def rows(start, count):
    ids = range(start, start + count)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": [f"customer {i * 7919 % 10007}" for i in ids],
            "amount": [i * 31 % 100000 / 100 for i in ids],
        }
    )


def opened():
    table = DeltaTable(uri)
    return {"files": len(table.file_uris())}


def checkpoint():
    table = DeltaTable(uri)
    started = time.perf_counter()
    table.create_checkpoint()
    return {"ms": (time.perf_counter() - started) * 1000}


def append():
    took = []
    for number in range(numbers[0]):
        data = rows(number * 100, 100)
        started = time.perf_counter()
        write_deltalake(uri, data, mode="append")
        took.append((time.perf_counter() - started) * 1000)
    return {"p50": statistics.median(took), "p95": sorted(took)[int(len(took) * 0.95)]}


def merge():
    source = pa.table(
        {
            "id": pa.array([i * numbers[1] * 2 // numbers[0] for i in range(numbers[0])], pa.int64()),
            "name": ["merged"] * numbers[0],
            "amount": [0.5] * numbers[0],
        }
    )
    table = DeltaTable(uri)
    started = time.perf_counter()
    said = (
        table.merge(source, "t.id = s.id", source_alias="s", target_alias="t")
        .when_matched_update_all()
        .when_not_matched_insert_all()
        .execute()
    )
    ms = (time.perf_counter() - started) * 1000
    return {"ms": ms, "updated": said["num_target_rows_updated"], "inserted": said["num_target_rows_inserted"]}


def optimize():
    metrics = DeltaTable(uri).optimize.compact()
    return {"filesRemoved": metrics["numFilesRemoved"], "filesAdded": metrics["numFilesAdded"]}


def vacuum():
    deleted = DeltaTable(uri).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    return {"deleted": len(deleted)}


def writers():
    refused = []

    def write(writer):
        for number in range(numbers[1]):
            data = pa.table({"id": pa.array([writer * numbers[1] + number], pa.int64())})
            try:
                write_deltalake(
                    uri,
                    data,
                    mode="append",
                    storage_options=storage,
                    commit_properties=CommitProperties(max_commit_retries=1000),
                )
            except Exception as error:
                refused.append(str(error))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(numbers[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = DeltaTable(uri, storage_options=storage).to_pyarrow_table()["id"].to_pylist()
    return {"rows": len(ids), "distinct": len(set(ids)), "refused": len(refused), "why": refused[:1]}


parts = {"open": opened, "checkpoint": checkpoint, "append": append, "merge": merge}
parts |= {"optimize": optimize, "vacuum": vacuum, "writers": writers}
before = resource.getrusage(resource.RUSAGE_SELF)
started = time.perf_counter()
said = parts[part]()
said = {"ms": (time.perf_counter() - started) * 1000, **said}
usage = resource.getrusage(resource.RUSAGE_SELF)
said["cpuMs"] = (usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime) * 1000
print(json.dumps({**said, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
