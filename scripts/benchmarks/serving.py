"""Serving beside onnxruntime itself, FastAPI with a call a request, and LitServe.

    pip install -e ".[dev]" litserve==0.2.19
    python scripts/benchmarks/serving.py --seconds 60 --out runs/serving

Clients in one process hold `--clients` connections, and each asks for images of a seed
as soon as it has its answer. Each contender is a process of its own; that all give the
same pixels is checked first. What a server costs is read from /proc as seconds of
processors, its children's included, so that clients and neighbours do not count. The
upper bound is a loop that draws the same latents, calls onnxruntime in batches of 64
with one thread, and makes pixels.

It writes serving.json and serving.md. Time: `--seconds` for each contender and count.
"""

import argparse
import asyncio
import base64
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from serving_generator import Generator

ROOT = Path(__file__).parents[2]
CONTENDERS = ("ganlab", "fastapi", "litserve")
TITLES = {
    "ganlab": "ganlab serve",
    "fastapi": "FastAPI, a call a request",
    "litserve": "LitServe, its example",
}
LITSERVE = Path(__file__).with_name("serving_litserve.py")
READY_SECONDS = 300
BATCH = 64
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--artifact", type=Path, default=ROOT / "saved_models" / "fashion")
    add("--out", type=Path, default=Path("runs/serving"), help="default %(default)s")
    add("--seconds", type=float, default=5.0, help="default %(default)s")
    add("--clients", type=int, default=64, help="default %(default)s")
    add("--counts", type=int, nargs="+", default=[1, 16], help="images a request")
    add("--only", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    add("--requests", type=int, help="end after so many instead, to see memory grow")
    add("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_fastapi(options.serve[0], int(options.serve[1]))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    report: dict = {"direct": direct(options.artifact, options.seconds)}
    print(f"a loop: {report['direct']}", flush=True)
    for kind in options.only:
        with serving(kind, options.artifact) as (process, port):
            for count in options.counts:
                check(kind, options.artifact, port, count)
                row = measure(kind, options, process.pid, port, count)
                report[f"{kind} {count}"] = row
                print(f"{kind}, {count} images: {row}", flush=True)
    (options.out / "serving.json").write_text(json.dumps(report, indent=2) + "\n")
    table = as_table(report)
    (options.out / "serving.md").write_text(table)
    print(table)


def direct(artifact: Path, seconds: float) -> dict:
    """The same work in a loop: batches of 64, in one thread, nothing else to do."""
    generate, seeds = Generator(artifact, threads=1).pixels, list(range(BATCH))
    labels = [seed % 10 for seed in seeds]
    generate(seeds, labels)
    batches, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        generate(seeds, labels)
        batches += 1
    spent, passed = time.process_time() - cpu, time.perf_counter() - start
    return {
        "images_per_second": round(batches * BATCH / passed),
        "images_per_cpu_second": round(batches * BATCH / spent),
    }


@contextmanager
def serving(kind: str, artifact: Path):
    """A contender's process and port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = {
        "ganlab": ["-m", "ganlab", "serve", str(artifact), "--port", str(port)],
        "fastapi": [__file__, "--serve", str(artifact), str(port)],
        "litserve": [str(LITSERVE), str(artifact), str(port)],
    }
    command = [sys.executable, *words[kind]]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True
        )
        try:
            start = time.monotonic()
            while time.monotonic() - start < READY_SECONDS and process.poll() is None:
                try:
                    if asyncio.run(ask_once(kind, port, 1))[0] == 200:
                        break
                except OSError:
                    time.sleep(0.2)
            yield process, port
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def request_of(kind: str, count: int, seed: int) -> bytes:
    """A request for images of a seed and those after it, as a contender takes it."""
    path, seeds = "/predict", list(range(seed, seed + count))
    document: dict = {"seeds": seeds, "labels": [value % 10 for value in seeds]}
    if kind == "ganlab":
        path = "/v2/models/fashion/infer"
        tensors = {"seeds": "INT64", "labels": "INT32"}
        document = {
            "inputs": [
                {"name": name, "datatype": datatype, "shape": [count], "data": values}
                for (name, datatype), values in zip(
                    tensors.items(), document.values(), strict=True
                )
            ],
            "outputs": [{"name": "pixels", "parameters": {"binary_data": True}}],
        }
    body = json.dumps(document).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + body


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes, int]:
    """Status, body, and length of the JSON document that the body begins with."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = document = 0
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            length = int(value)
        elif name == b"inference-header-content-length":
            document = int(value)
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length), document


async def ask_once(kind: str, port: int, count: int) -> tuple[int, bytes]:
    """Status of one request, and its pixels."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_of(kind, count, 0))
    status, body, document = await answer_of(reader)
    writer.close()
    if status == 200 and kind == "litserve":
        body = base64.b64decode(json.loads(body)["pixels"])
    return status, body[document:]


def check(kind: str, artifact: Path, port: int, count: int) -> None:
    """Stops where a contender has other pixels."""
    import ganlab

    generator = ganlab.Artifact(artifact)
    expected = [generator.sample(1, seed, [seed % 10]) for seed in range(count)]
    status, pixels = asyncio.run(ask_once(kind, port, count))
    if status != 200 or pixels != np.concatenate(expected).tobytes():
        raise SystemExit(f"{kind} has other pixels, or none: {status}")


def measure(kind: str, options: argparse.Namespace, pid: int, port: int, count: int):
    """One contender under load: rates, latencies, statuses, memory."""
    asyncio.run(load(kind, port, count, options.clients, 1.0, None))
    cpu, memory = usage(pid)
    start = time.perf_counter()
    statuses, latencies = asyncio.run(
        load(kind, port, count, options.clients, options.seconds, options.requests)
    )
    passed = time.perf_counter() - start
    cpu_end, memory_end = usage(pid)
    images = statuses[200] * count
    ordered = sorted(latencies)
    return {
        "statuses": dict(statuses),
        "images_per_second": round(images / passed),
        "images_per_cpu_second": round(images / max(cpu_end - cpu, 1 / TICKS)),
        "cores": round((cpu_end - cpu) / passed, 2),
        "p50_ms": round(1000 * statistics.median(ordered), 2),
        "p99_ms": round(1000 * ordered[int(0.99 * (len(ordered) - 1))], 2),
        "memory_mb": [round(memory / 2**20), round(memory_end / 2**20)],
    }


async def load(
    kind: str, port: int, count: int, clients: int, seconds: float, most: int | None
) -> tuple[Counter, list[float]]:
    """Statuses and seconds of the requests of many clients."""
    statuses: Counter = Counter()
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = request_of(kind, count, 1000 * number)
        while len(latencies) < most if most else time.perf_counter() < end:
            start = time.perf_counter()
            writer.write(request)
            status, _, _ = await answer_of(reader)
            latencies.append(time.perf_counter() - start)
            statuses[status] += 1
        writer.close()

    await asyncio.gather(*map(client, range(clients)))
    return statuses, latencies


def usage(pid: int) -> tuple[float, int]:
    """Seconds of processors and bytes of memory, of a process and its children."""
    seconds, memory = 0.0, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == pid:  # its session, which the first process leads
            seconds += (int(fields[11]) + int(fields[12])) / TICKS
            memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return seconds, memory


def as_table(report: dict) -> str:
    """The report as Markdown."""
    bound = report["direct"]["images_per_cpu_second"]
    lines = [
        "| server | images a request | images per CPU second | of the loop | "
        "images a second | p50, p99 | memory, MB | answers |",
        "|---|---|---|---|---|---|---|---|",
        f"| a loop, batches of {BATCH} | | {bound:,} | 100 % | "
        f"{report['direct']['images_per_second']:,} | | | |",
    ]
    for key, row in report.items():
        if key == "direct":
            continue
        kind, count = key.split()
        rate = row["images_per_cpu_second"]
        answers = ", ".join(f"{s}: {n:,}" for s, n in row["statuses"].items())
        lines.append(
            f"| {TITLES[kind]} | {count} | {rate:,} | {rate / bound:.0%} | "
            f"{row['images_per_second']:,} | {row['p50_ms']:.0f}, {row['p99_ms']:.0f} "
            f"ms | {row['memory_mb'][0]} to {row['memory_mb'][1]} | {answers} |"
        )
    return "\n".join(lines) + "\n"


def serve_fastapi(artifact: str, port: int) -> None:
    """FastAPI as a tutorial has it: a call of onnxruntime a request."""
    import uvicorn
    from fastapi import Body, FastAPI, Response

    app, generate = FastAPI(), Generator(artifact).pixels

    @app.post("/predict")
    def predict(seeds: list[int] = Body(), labels: list[int] = Body()):  # noqa: B008
        pixels = generate(seeds, labels).tobytes()
        return Response(pixels, media_type="application/octet-stream")

    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main()
