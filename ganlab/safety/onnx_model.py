"""Opens and runs an ONNX model of anybody, within limits of operators, memory and time.

The file is looked through before onnxruntime sees it: operators of a list alone, no
data outside the file. What onnxruntime then allocates comes from one store of limited
size, and a call that takes too long is left. onnxruntime and NumPy only.
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

from ganlab.errors import UserError, one_line

MAX_MODEL_BYTES = 1 << 28
MAX_MEMORY = 3 << 28  # bytes that all models of a process hold, weights included
MAX_NESTING = 16  # of graphs within loops and conditions
LOAD_SECONDS = 5.0
LOAD_BYTES_PER_SECOND = 1 << 24  # a larger file may take longer
SAMPLE_SECONDS = 5.0  # for the first sample, and at least for any batch
VARIATION = 10  # times the first sample's seconds for each of a batch
MAX_SLOWDOWN = 1.6  # of a busy machine; nothing is waited for longer
MAX_BATCH_SLOWDOWN = 10  # for a batch of a model that has run
POLL_SECONDS = 0.1
THREAD = "ganlab ONNX model"

OPERATOR_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool
BatchNormalization BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike
Ceil Celu CenterCropPad Clip Concat Constant ConstantOfShape Conv ConvInteger
ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU
Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool
GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid
HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM
LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization
LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod
Mul Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear
RMSNormalization RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
Relu Reshape Resize ReverseSequence Round Scan ScatterElements ScatterND Selu Shape
Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split
Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu
Unsqueeze Upsample Where Xor
"""
OPERATORS = frozenset(OPERATOR_NAMES.split())

# Fields of ONNX's messages, by number: those that hold what is looked at.
MODEL = {7: "graph", 20: "training", 25: "function"}
GRAPH = {1: "node", 5: "tensor", 15: "sparse tensor"}
NODE = {4: "operator", 5: "attribute", 7: "domain"}
ATTRIBUTE = {
    **{5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    **{22: "sparse tensor", 23: "sparse tensor"},
}
TENSOR = {13: "external data", 14: "external data"}
REFUSED = ("training", "function", "sparse tensor", "external data")
WITHIN = {"graph": GRAPH, "node": NODE, "attribute": ATTRIBUTE, "tensor": TENSOR}
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5


class OnnxModel:
    """An ONNX model, checked and opened.

    Args:
        content: The file's bytes.
        path: What an error calls the file.
        fix: What an error tells to do.
        threads: Integer: those that compute; `None` for one a core.

    Raises:
        UserError: if it holds anything but operators of `OPERATORS` and their weights,
            or does not open within `MAX_MEMORY` and the seconds that its size is
            given.
    """

    def __init__(
        self, content: bytes, path: object, fix: str, threads: int | None = None
    ) -> None:
        self.path, self.fix = path, fix
        self._batch_size: int | None = None
        self._sample_seconds: float | None = None  # of the first that it ran on
        try:
            check_graph(content)
            seconds = LOAD_SECONDS + len(content) / LOAD_BYTES_PER_SECOND
            self._session, _ = _in_time(
                lambda: _open(content, threads), seconds, MAX_SLOWDOWN * seconds
            )
            self.inputs = {
                value.name: (tuple(value.shape), value.type)
                for value in self._session.get_inputs()
            }
            self.outputs = [value.name for value in self._session.get_outputs()]
        except Exception as error:  # onnxruntime's are of many classes
            raise UserError(
                f"Expected an ONNX model that onnxruntime runs in {path}. Received: "
                f"{one_line(error)}; {fix}"
            ) from error

    def run(
        self,
        outputs: Sequence[str],
        feeds: Mapping[str, np.ndarray],
        *,
        whole: bool = False,
    ) -> list[np.ndarray]:
        """Runs the model on one batch; the first time, on one sample before.

        Args:
            outputs: Names of outputs.
            feeds: Arrays of as many samples each, 1 or more.
            whole: Whether the batch may not be run in parts, which change the last bits
                of outputs; otherwise it is where memory is short.

        Raises:
            UserError: if the first sample needs more than `MAX_MEMORY` or
                `SAMPLE_SECONDS`, or a batch far longer than the first would tell.
        """
        count = len(next(iter(feeds.values())))
        if count > 1 and self._sample_seconds is None:
            self.run(outputs, {name: value[:1] for name, value in feeds.items()})
        size = count if whole else min(count, self._batch_size or count)
        while True:
            try:
                batches = [
                    self._run_within(
                        outputs, {k: v[first : first + size] for k, v in feeds.items()}
                    )
                    for first in range(0, count, size)
                ]
                break
            except UserError:
                raise
            except Exception as error:
                if size == 1 or whole:
                    raise UserError(
                        f"Expected {self.path} to give outputs of its inputs. "
                        f"Received: {one_line(error)}; {self.fix}"
                    ) from error
                size = self._batch_size = -(-size // 2)  # most often, it was memory
        if len(batches) == 1:
            return batches[0]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    def _run_within(
        self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4  # errors are raised, not printed as well
        count = len(next(iter(feeds.values())))
        usual = VARIATION * count * (self._sample_seconds or 0.0)
        seconds = max(SAMPLE_SECONDS, usual)
        try:
            values, spent = _in_time(
                lambda: self._session.run(outputs, feeds, options),
                seconds,
                max(MAX_SLOWDOWN * SAMPLE_SECONDS, MAX_BATCH_SLOWDOWN * usual),
            )
        except TimeoutError as error:
            options.terminate = True
            raise UserError(
                f"Expected {self.path} to take at most {seconds:g} seconds for a batch "
                f"of {count:,}. Received: more; {self.fix}"
            ) from error
        if self._sample_seconds is None:
            self._sample_seconds = spent / count
        return values


def check_graph(content: bytes) -> None:
    """Checks what an ONNX file holds.

    Raises:
        ValueError: for an operator that is not of `OPERATORS`, or data outside the
            file.
    """
    if len(content) > MAX_MODEL_BYTES:
        raise ValueError(f"more than {MAX_MODEL_BYTES:,} bytes")
    _check_message(memoryview(content), MODEL, 0)


def _check_message(content: memoryview, kinds: Mapping[int, str], depth: int) -> None:
    if depth > 4 * MAX_NESTING:
        raise ValueError("graphs within graphs, too deep")
    for number, value in fields(content):
        kind = kinds.get(number)
        if kind in REFUSED and value:  # a location of 0 is the file itself
            raise ValueError(f"{kind}, which is not allowed")
        if kind == "domain" and bytes(value) not in (b"", b"ai.onnx"):
            raise ValueError(f"operators of the domain {_name(value)}")
        if kind == "operator" and _name(value) not in OPERATORS:
            raise ValueError(f"the operator {_name(value)}, which is not allowed")
        if kind in WITHIN:
            _check_message(value, WITHIN[kind], depth + 1)


def fields(content: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protobuf message; numbers or bytes.

    Raises:
        ValueError: for what is none.
    """
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, position = _varint(content, position)
            yield number, value
            continue
        if wire == BYTES:
            length, position = _varint(content, position)
        elif wire in (FIXED_32, FIXED_64):
            length = 4 if wire == FIXED_32 else 8
        else:
            raise ValueError("no ONNX model")
        if position + length > len(content):
            raise ValueError("an ONNX model that breaks off")
        yield number, content[position : position + length]
        position += length


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(content):
            raise ValueError("an ONNX model that breaks off")
        byte = content[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError("no ONNX model")


def _name(value: memoryview) -> str:
    return bytes(value[:64]).decode("utf-8", "replace")


def _open(content: bytes, threads: int | None) -> onnxruntime.InferenceSession:
    _bound_memory()
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    return onnxruntime.InferenceSession(
        content,
        options,
        providers=onnxruntime.get_available_providers(),
        enable_fallback=0,  # which prints what the file says
    )


@functools.cache
def _bound_memory() -> None:
    """Makes the one store of memory on the CPU for all sessions that ask for it."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    limits = onnxruntime.OrtArenaCfg(MAX_MEMORY, -1, -1, -1)
    onnxruntime.create_and_register_allocator(memory, limits)


def _in_time(
    function: Callable[[], Any], seconds: float, wait: float
) -> tuple[Any, float]:
    """Calls a function in a thread, which is left when its time is over.

    Args:
        function: Function without arguments.
        seconds: Float: what a processor may spend on that thread, so that a busy
            machine refuses nothing soon.
        wait: Float: what may pass, whatever the processor did.

    Returns:
        What the function returned, and the seconds that a processor spent.

    Raises:
        TimeoutError: if it has not returned by then.
    """
    outcome: dict[str, Any] = {}

    def call() -> None:
        try:
            outcome["value"] = function(), time.thread_time()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=call, name=THREAD)
    start = time.monotonic()
    thread.start()
    while thread.is_alive():
        thread.join(POLL_SECONDS)
        passed = time.monotonic() - start
        if passed > wait or (passed > seconds and _spent(thread, passed) > seconds):
            raise TimeoutError(f"more than {seconds:.0f} seconds")
    if "error" in outcome:
        raise outcome["error"]
    value: tuple[Any, float] = outcome["value"]
    return value


def _spent(thread: threading.Thread, passed: float) -> float:
    """Seconds of a processor; what has passed where they are not known."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return passed
    try:
        clock = time.pthread_getcpuclockid(thread.ident or 0)
        return time.clock_gettime(clock)
    except OSError:  # it has just ended
        return 0.0


def is_left_running() -> bool:
    """Whether a call that took too long has not come back yet."""
    return any(thread.name == THREAD for thread in threading.enumerate())
