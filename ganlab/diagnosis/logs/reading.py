"""What kind of log is at a path, and what does it say?"""

from collections.abc import Mapping
from pathlib import Path

from ganlab.diagnosis.log import Log
from ganlab.diagnosis.logs import events, foreign, json_lines, run, text
from ganlab.diagnosis.logs.columns import check_columns
from ganlab.diagnosis.logs.steps import as_reading
from ganlab.diagnosis.logs.table import Reading, Table, combine
from ganlab.errors import UserError

TEXT = (".csv", ".tsv", ".txt", ".log")
LINES = (".jsonl", ".ndjson")
KNOWN = (  # the files of a folder by which it is read, the first that it has
    "stats.jsonl",
    "metric-*.jsonl",
    "metrics.csv",
    "metrics.jsonl",
    "progress.csv",
    "history.json",
    "*.csv",
    "*.jsonl",
    "*.tsv",
)
DEPTHS = ("", "*/", "*/*/")  # how deep a folder may hide its log
TAKES = (
    "a run folder or a log of another trainer (.csv, .tsv, .txt, .log, .jsonl, .json, "
    "TensorBoard events), or a folder with one"
)


def read(path: Path | str, columns: Mapping[str, str] | None = None) -> Log:
    """Reads a run folder or another trainer's log.

    Args:
        path: A run folder; a log as CSV, as JSON lines or JSON, or as TensorBoard
            events; or a folder that holds one such log.
        columns: A dict from ganlab's names to the log's, such as
            `{"d_loss": "critic"}`, or `None`: by their names.

    Returns:
        A `Log`. What could not be read stands in its `problems`; of a log that was
        not understood `not_judged` says why.

    Raises:
        UserError: if it is none of these, or a folder with several, or has no such
            columns.
    """
    path, chosen = Path(path), dict(columns or {})
    if path.is_dir() and run.is_run(path):
        if chosen:
            raise UserError(
                "Expected another trainer's log for --columns. Received the run "
                f"folder {path}; leave --columns out"
            )
        return run.read_run(path)
    files = find_files(path)
    if not files:
        raise UserError(
            f"Expected {TAKES}. Received: {path}; make a run with `ganlab train --out "
            "DIR`"
        )
    try:
        reading = _read(files, chosen)
    except OSError as error:
        raise UserError(
            f"Expected a log that can be read. Received: {path} ({error.strerror})"
        ) from error
    return foreign.as_log(path, reading, chosen)


def _read(files: list[Path], chosen: Mapping[str, str]) -> Reading:
    first = files[0]
    if first.is_dir() or "tfevents" in first.name:
        return events.read_events(first)
    tables = [_table(file) for file in files]
    check_columns(chosen, [name for table in tables for name in table.columns])
    # Files of one log count steps each by itself.
    return combine([as_reading(table, chosen) for table in tables])


def _table(path: Path) -> Table:
    if path.suffix in LINES:
        return json_lines.read_lines(path)
    if path.suffix == ".json":
        return json_lines.read_document(path)
    return text.read_csv(path)


def find_files(path: Path) -> list[Path]:
    """The files of another trainer's log, or the folder of its events.

    Args:
        path: A file, or a folder that holds one log.

    Returns:
        A list of `Path`s; none where there is no such path, or no log in the folder.

    Raises:
        UserError: if it is a file of another kind, or a folder with several logs.
    """
    if path.is_file():
        if path.suffix in (*TEXT, *LINES, ".json") or "tfevents" in path.name:
            return [path]
        raise UserError(f"Expected {TAKES}. Received: {path}")
    for depth in DEPTHS:
        for pattern in KNOWN:
            matches = sorted(path.glob(depth + pattern))
            if not matches:
                continue
            if pattern == "stats.jsonl":
                return [*matches, *sorted(matches[0].parent.glob("metric-*.jsonl"))]
            if len(matches) == 1 or pattern == "metric-*.jsonl":
                return matches
            names = ", ".join(str(match.relative_to(path)) for match in matches[:5])
            raise UserError(
                f"Expected a folder with one log. Received: {path} with {names}; "
                "name one"
            )
        if any(path.glob(depth + events.PATTERN)):
            return [path]
    return []
