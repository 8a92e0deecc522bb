"""How do many processes write a million samples, and go on after any end?

A worker is a process that draws one shard after another, on one thread, and encodes
on a second one. A shard has its name once it is whole.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from ganlab import files
from ganlab.artifacts.artifact import Artifact
from ganlab.errors import RunError, UserError
from ganlab.provenance.marks import Mark
from ganlab.shards import manifest
from ganlab.shards.job import Job
from ganlab.shards.writers import open_writer

QUEUE = 4  # batches that wait to be encoded

Progress = Callable[[int], object]


def sample_shards(
    directory: Path | str,
    job: Job,
    mark: Mark,
    out: Path | str,
    *,
    workers: int,
    resume: bool = False,
    progress: Progress = lambda count: None,
) -> None:
    """Writes the shards of a job, and their manifest last.

    Args:
        directory: The artifact.
        job: See `ganlab.shards.job.job_of`.
        mark: What the samples say of where they come from.
        out: A new or empty folder; with `resume`, one that was begun.
        workers: Integer: processes.
        resume: Whether shards that are whole stay as they are.
        progress: Function of a number of samples that were drawn, or were there.

    Raises:
        UserError: if the folder is not empty, or holds another job.
        RunError: if a worker ends before its shard does.
    """
    folder = Path(out)
    started = (folder / manifest.PROGRESS).exists() or (
        folder / manifest.MANIFEST
    ).exists()
    if not (resume and started):
        files.check_new_folder(
            folder,
            "shards",
            "has files",
            "name another, or go on with a job by --resume",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with files.locked_folder(folder) as check:
        entries = {}
        if started:
            entries = manifest.whole_shards(folder, job)
            files.remove_leftovers(folder)
        else:
            manifest.begin(folder, job)
        progress(sum(entry["images"] for entry in entries.values()))
        missing = deque(
            shard for shard in range(job.num_shards) if job.name(shard) not in entries
        )
        if missing and (folder / manifest.MANIFEST).exists():
            manifest.begin(folder, job)
            for entry in entries.values():
                manifest.note(folder, entry)
            (folder / manifest.MANIFEST).unlink()
        for entry in _by_workers(
            Path(directory), job, mark, folder, missing, workers, progress
        ):
            check()
            manifest.note(folder, entry)
            entries[entry["name"]] = entry
        if not (folder / manifest.MANIFEST).exists():
            manifest.finish(folder, job, mark, entries.values())


def _by_workers(
    directory: Path,
    job: Job,
    mark: Mark,
    folder: Path,
    missing: deque[int],
    workers: int,
    progress: Progress,
) -> Iterator[manifest.Entry]:
    """Entries of the missing shards, as workers finish them."""
    context = multiprocessing.get_context("spawn")  # a fork would hold locks of threads
    processes: dict[Any, BaseProcess] = {}
    try:
        for _ in range(min(workers, len(missing))):
            pipe: Any
            pipe, end = context.Pipe()
            arguments = (end, directory, job, mark, folder)
            processes[pipe] = context.Process(target=_work, args=arguments, daemon=True)
            processes[pipe].start()
            end.close()
            pipe.send(missing.popleft())
        while processes:
            for pipe in wait(list(processes)):
                process = processes[pipe]
                try:
                    message = pipe.recv()
                except (EOFError, ConnectionError):
                    process.join()
                    raise RunError(
                        "Expected a worker to draw its shard. Received: its end, exit "
                        f"code {process.exitcode}; where memory ran out, ask for fewer "
                        "--workers, and go on with --resume"
                    ) from None
                if isinstance(message, Exception):
                    raise message
                if isinstance(message, int):
                    progress(message)
                    continue
                if missing:
                    pipe.send(missing.popleft())
                else:
                    pipe.send(None)
                    del processes[pipe]
                    process.join()
                yield message
    finally:
        for process in processes.values():
            process.kill()
            process.join()


def _work(
    pipe: Connection, directory: Path, job: Job, mark: Mark, folder: Path
) -> None:
    """Draws the shards that come through a pipe; ends with the process at its end."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal's; the parent heeds them
    try:
        artifact = Artifact(directory, job.format, threads=1)
        if artifact.sha256 != job.generator:
            raise UserError(
                f"Expected {directory} to stay as it is. Received: another generator; "
                "put the artifact back"
            )
        while (shard := pipe.recv()) is not None:
            pipe.send(_write_shard(artifact, job, mark, folder, shard, pipe.send))
    except (EOFError, ConnectionError):
        pass  # the process at the other end has gone
    except Exception as error:
        pipe.send(error)


def _write_shard(
    artifact: Artifact,
    job: Job,
    mark: Mark,
    folder: Path,
    shard: int,
    progress: Progress,
) -> manifest.Entry:
    path = folder / job.name(shard)
    first, end = job.bounds(shard)
    waiting: deque[Future[None]] = deque()
    with files.atomic_file(path) as temporary:
        with (
            open_writer(temporary, job.shard_format, job.image_shape, mark) as write,
            ThreadPoolExecutor(1) as encoder,
        ):
            for start, count in job.batches(shard):
                labels = job.labels(start)
                drawn = artifact.generate(job.latents(start), labels, whole=True)
                samples = artifact.kind.to_stored(drawn[:count], artifact.output_range)
                kept = None if labels is None else labels[:count]
                waiting.append(encoder.submit(write, start, samples, kept))
                if len(waiting) > QUEUE:
                    waiting.popleft().result()
                progress(count)
            for future in waiting:
                future.result()
        return manifest.entry_of(path, temporary, first, end - first)
