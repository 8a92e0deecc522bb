"""What of a generator's ONNX graph is work that need not be done?

`simplify` folds scales and offsets, such as those of batch normalisation, into the
weights before them; lays the first map out as convolutions want it; and computes a
transposed convolution of stride 2 as plain convolutions, one for each of the four
kinds of pixels, for which runtimes have faster kernels, and 8-bit ones at all.
"""

import itertools

import numpy as np
from onnx import helper, numpy_helper, shape_inference

# Maps with fewer channels are padded to this many by the runtime's convolutions.
FULL = 16
ACTIVATIONS = ("Relu", "LeakyRelu")
ONE_BY_ONE = (*ACTIVATIONS, "Tanh", "Sigmoid")


def simplify(model):
    """Rewrites a generator's graph into one that draws the same images faster.

    What it does not know it leaves as it is.

    Args:
        model: An `onnx.ModelProto` from `latents`, and perhaps `labels` of 0 or
            more, to `images`.

    Returns:
        A new `onnx.ModelProto` with the same inputs and outputs.
    """
    graph = _Graph(model)
    graph.take_labels_directly()
    while graph.fold_one():
        pass
    graph.lay_out_channels_first()
    graph.split_transposed_convolutions()
    return graph.model()


def in_order(nodes, inputs, constants):
    """Nodes, each after those that it takes from.

    Args:
        nodes: `onnx.NodeProto`s.
        inputs: The graph's inputs.
        constants: Names of its initializers.

    Raises:
        ValueError: if a node takes what nothing gives.
    """
    known = {"", *constants, *(each.name for each in inputs)}
    left, ordered = list(nodes), []
    while left:
        ready = [node for node in left if known.issuperset(node.input)]
        if not ready:
            raise ValueError(f"Expected a graph without gaps. Received: {left[0]}")
        ordered += ready
        known.update(name for node in ready for name in node.output)
        left = [node for node in left if not known.issuperset(node.output)]
    return ordered


class _Graph:
    """A graph that can be edited; every change keeps it valid."""

    def __init__(self, model):
        self._model = shape_inference.infer_shapes(model)
        self.nodes = list(self._model.graph.node)
        self.constants = {
            each.name: numpy_helper.to_array(each)
            for each in self._model.graph.initializer
        }
        self._names = (f"ganlab_{k}" for k in itertools.count())

    def model(self):
        """The edited model, without what nothing uses."""
        outputs = {each.name for each in self._model.graph.output}
        while True:
            used = outputs | {name for node in self.nodes for name in node.input}
            kept = [node for node in self.nodes if used & set(node.output)]
            if len(kept) == len(self.nodes):
                break
            self.nodes = kept
        initializers = [
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in self.constants.items()
            if name in used
        ]
        nodes = in_order(self.nodes, self._model.graph.input, self.constants)
        for index, node in enumerate(nodes):
            node.name = f"{node.op_type}_{index}"
        graph = helper.make_graph(
            nodes,
            "generator",
            self._model.graph.input,
            self._model.graph.output,
            initializers,
        )
        return helper.make_model(
            graph,
            opset_imports=self._model.opset_import,
            ir_version=self._model.ir_version,
            producer_name="ganlab",
        )

    def producer(self, name):
        return next((node for node in self.nodes if name in node.output), None)

    def only_consumer(self, node):
        """The one node that takes what `node` gives, or `None`."""
        name = node.output[0]
        if any(each.name == name for each in self._model.graph.output):
            return None
        found = [each for each in self.nodes if name in each.input]
        return found[0] if len(found) == 1 else None

    def shape(self, name):
        """Sizes of a tensor, `None` where unknown; `None` of an unknown rank."""
        if name in self.constants:
            return self.constants[name].shape
        graph = self._model.graph
        for each in (*graph.value_info, *graph.input, *graph.output):
            if each.name == name and each.type.tensor_type.HasField("shape"):
                sizes = each.type.tensor_type.shape.dim
                return tuple(
                    size.dim_value if size.HasField("dim_value") else None
                    for size in sizes
                )
        return None

    def constant(self, value):
        name = next(self._names)
        self.constants[name] = np.asarray(value)
        return name

    def add(self, kind, *inputs, output=None, **attributes):
        """Adds a node; returns the name of what it gives."""
        output = output or next(self._names)
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def remove(self, *nodes):
        self.nodes = [each for each in self.nodes if all(each is not n for n in nodes)]

    def take_labels_directly(self):
        """Drops the arithmetic that lets an index count from the end."""
        for node in self.nodes:
            if node.op_type == "Gather" and self._reads_only(node.input[1], "labels"):
                node.input[1] = "labels"

    def _reads_only(self, name, source):
        """Whether a tensor is elementwise arithmetic of one graph input alone."""
        if name == source or name in self.constants:
            return name == source or self.constants[name].ndim == 0
        node = self.producer(name)
        elementwise = ("Add", "Cast", "Less", "Mul", "Not", "Where")
        return (
            node is not None
            and node.op_type in elementwise
            and all(self._reads_only(each, source) for each in node.input)
        )

    def fold_one(self):
        """Folds one scale or offset into the weights before it, if there is any."""
        return any(
            self._fold_into(node)
            for node in self.nodes
            if node.op_type in ("MatMul", "Gemm", "Conv", "ConvTranspose")
        )

    def _fold_into(self, linear):
        if not self._has_constants(linear) or not self._is_plain(linear):
            return False
        weights = self.constants[linear.input[1]]
        after, reshape = self.only_consumer(linear), None
        if after is not None and after.op_type == "Reshape":
            reshape, after = after, self.only_consumer(after)
        if after is None or after.op_type not in ("Mul", "Add"):
            return False
        before = (reshape or linear).output[0]
        other = next((name for name in after.input if name != before), before)
        channels = self._channels(linear, weights, reshape, self.constants.get(other))
        if channels is None:
            return False
        bias = np.zeros(len(channels), weights.dtype)
        if len(linear.input) > 2:
            bias = self.constants[linear.input[2]]
        if after.op_type == "Mul":
            shape = [1] * weights.ndim
            shape[_output_axis(linear)] = -1
            weights, bias = weights * channels.reshape(shape), bias * channels
        else:
            bias = bias + channels
        kind = "Gemm" if linear.op_type == "MatMul" else linear.op_type
        made = helper.make_node(
            kind,
            [linear.input[0], self.constant(weights), self.constant(bias)],
            linear.output if reshape else after.output,
        )
        made.attribute.extend(linear.attribute)
        self.remove(linear, after)
        self.nodes.append(made)
        if reshape is not None:
            reshape.output[0] = after.output[0]
        return True

    def _has_constants(self, node):
        """Whether all but its first input are constants."""
        return all(name in self.constants for name in node.input[1:])

    def _is_plain(self, linear):
        """Whether it is a linear map whose outputs' channels are one axis's."""
        if linear.op_type in ("MatMul", "Gemm"):
            shape = self.shape(linear.input[0])
            flat = shape is not None and len(shape) == 2
            return flat and not any(
                _attribute(linear, name, plain) != plain
                for name, plain in (
                    ("alpha", 1.0),
                    ("beta", 1.0),
                    ("transA", 0),
                    ("transB", 0),
                )
            )
        return _attribute(linear, "group", 1) == 1

    def _channels(self, linear, weights, reshape, factor):
        """One factor for each output of a linear map, or `None` if it is no such."""
        if factor is None:
            return None
        width = weights.shape[_output_axis(linear)]
        axis = 1 if linear.op_type in ("Conv", "ConvTranspose") else -1
        if reshape is not None:
            target = self.constants.get(reshape.input[1])
            if axis != -1 or target is None or width % target[-1]:
                return None
            repeats, width = width // target[-1], target[-1]
        else:
            repeats = 1
        if factor.size == 1:
            return np.full(repeats * width, factor.reshape(()), factor.dtype)
        rank = {1: weights.ndim, -1: factor.ndim}[axis]
        wanted = [1] * rank
        wanted[axis] = width
        padded = (1,) * (rank - factor.ndim) + factor.shape
        if list(padded) != wanted:
            return None
        return np.tile(factor.reshape(-1), repeats)

    def lay_out_channels_first(self):
        """Permutes a projection's columns where its map is transposed anyway."""
        for transpose in [each for each in self.nodes if each.op_type == "Transpose"]:
            if list(_attribute(transpose, "perm", ())) != [0, 3, 1, 2]:
                continue
            between = self.producer(transpose.input[0])
            reshape = between
            if between is not None and between.op_type in ONE_BY_ONE:
                reshape = self.producer(between.input[0])
            if reshape is None or reshape.op_type != "Reshape":
                continue
            chain = [self.producer(reshape.input[0]), reshape]
            chain += [] if between is reshape else [between]
            linear, target = chain[0], self.constants.get(reshape.input[1])
            if (
                linear is None
                or linear.op_type != "Gemm"
                or len(linear.input) < 3
                or not self._has_constants(linear)
                or target is None
                or len(target) != 4
                or any(self.only_consumer(each) is None for each in chain)
            ):
                continue
            height, width, channels = (int(size) for size in target[1:])
            order = np.arange(height * width * channels)
            order = order.reshape(height, width, channels).transpose(2, 0, 1).ravel()
            linear.input[1] = self.constant(self.constants[linear.input[1]][:, order])
            linear.input[2] = self.constant(self.constants[linear.input[2]][order])
            reshape.input[1] = self.constant(np.array([-1, channels, height, width]))
            chain[-1].output[0] = transpose.output[0]
            self.remove(transpose)

    def split_transposed_convolutions(self):
        """Computes each kind of pixel of a transposed convolution by a convolution.

        Of stride 2 with padding `p`, `y[o] = sum_i x[i] w[o + p - 2 i]`: the pixels
        whose `o + p` is `2 g + phase` are a convolution of `x` with every second
        weight, `w[phase], w[phase + 2], ...`, that is as long as there are
        such pixels. Maps with few channels take one convolution for all four kinds,
        with an image of `2 g` pixels that is cut to size.
        """
        for node in [each for each in self.nodes if each.op_type == "ConvTranspose"]:
            weights = self.constants.get(node.input[1])
            shape = self.shape(node.input[0])
            plain = (
                self._has_constants(node)
                and weights.ndim == 4
                and shape is not None
                and None not in shape[2:]
                and _attribute(node, "group", 1) == 1
                and list(_attribute(node, "strides", ())) == [2, 2]
                and set(_attribute(node, "dilations", [1])) == {1}
                and _attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"
                and not _attribute(node, "output_shape", ())
            )
            if plain and not any(_attribute(node, "output_padding", ())):
                self._split(node, weights, shape[2:])

    def _split(self, node, weights, sizes):
        pads = list(_attribute(node, "pads", [0] * 4))
        lengths = [
            2 * (sizes[k] - 1) + weights.shape[2 + k] - pads[k] - pads[2 + k]
            for k in range(2)
        ]
        weights = np.pad(  # to an even number of rows and columns
            weights, [(0, 0), (0, 0), *((0, size % 2) for size in weights.shape[2:])]
        )
        filters = weights.shape[1]
        bias = np.zeros(filters, weights.dtype)
        if len(node.input) > 2:
            bias = self.constants[node.input[2]]
        after = self.only_consumer(node)
        self.remove(node)
        output, activate = node.output[0], None
        if after is not None and after.op_type in ACTIVATIONS:
            self.remove(after)
            output, activate = after.output[0], after
        layout = [
            [_Phase.of(k, taps, sizes[axis], lengths[axis], pads[axis]) for k in (0, 1)]
            for axis, taps in enumerate(size // 2 for size in weights.shape[2:])
        ]
        exact = all(
            phase.before >= 0 and phase.after >= 0 and 2 * phase.count == length
            for phases, length in zip(layout, lengths, strict=True)
            for phase in phases
        )
        draw = self._four if exact and filters >= FULL else self._one
        draw(node.input[0], weights, bias, layout, (lengths, pads), (output, activate))

    def _convolve(self, x, kernel, bias, pads, activate):
        made = self.add(
            "Conv", x, self.constant(kernel), self.constant(bias), pads=pads
        )
        if activate is None:
            return made
        output = self.add(activate.op_type, made)
        self.nodes[-1].attribute.extend(activate.attribute)
        return output

    def _four(self, x, weights, bias, layout, geometry, ending):
        """A convolution for each kind of pixel; they are interleaved by joining."""
        (height, width), _ = geometry
        output, activate = ending
        filters, rows = len(bias), []
        for row in sorted(layout[0], key=lambda phase: phase.first):
            columns = []
            for column in sorted(layout[1], key=lambda phase: phase.first):
                drawn = self._convolve(
                    x,
                    _kernel(weights, row.index, column.index),
                    bias,
                    [row.before, column.before, row.after, column.after],
                    activate,
                )
                columns.append(self.add("Transpose", drawn, perm=[0, 2, 3, 1]))
            joined = self.add("Concat", *columns, axis=3)
            shape = self.constant(np.array([-1, height // 2, width * filters]))
            rows.append(self.add("Reshape", joined, shape))
        joined = self.add("Concat", *rows, axis=2)
        shape = self.constant(np.array([-1, height, width, filters]))
        image = self.add("Reshape", joined, shape)
        self.add("Transpose", image, perm=[0, 3, 1, 2], output=output)

    def _one(self, x, weights, bias, layout, geometry, ending):
        """One convolution with four times the filters; its maps are interleaved."""
        (height, width), pads = geometry
        output, activate = ending
        filters = len(bias)
        down, right = (size // 2 - 1 for size in weights.shape[2:])
        kernels = [
            _kernel(weights, *kind) for kind in itertools.product((0, 1), (0, 1))
        ]
        drawn = self._convolve(
            x,
            np.concatenate(kernels),
            np.tile(bias, 4),
            [down, right, down, right],
            activate,
        )
        rows, columns = (phases[0].grid for phases in layout)
        image = self.add("Transpose", drawn, perm=[0, 2, 3, 1])
        for kind, value in (
            ("Reshape", [-1, rows, columns, 2, 2, filters]),
            ("Transpose", [0, 1, 3, 2, 4, 5]),
            ("Reshape", [-1, 2 * rows, 2 * columns, filters]),
        ):
            if kind == "Reshape":
                image = self.add(kind, image, self.constant(np.array(value)))
            else:
                image = self.add(kind, image, perm=value)
        ends = np.array(pads[:2]) + np.array([height, width])
        edges = (self.constant(each) for each in (pads[:2], ends, [1, 2]))
        image = self.add("Slice", image, *edges)
        self.add("Transpose", image, perm=[0, 3, 1, 2], output=output)


class _Phase:
    """Every second pixel along one axis of a transposed convolution."""

    def __init__(self, index, first, count, grid, before, after):
        self.index, self.first, self.count = index, first, count
        self.grid, self.before, self.after = grid, before, after

    @classmethod
    def of(cls, index, taps, size, length, pad):
        """Phase `index` of `taps` weights on `size` pixels, cut to `length`."""
        lowest = (pad - index + 1) // 2
        first = 2 * lowest + index - pad
        count = (length - first + 1) // 2
        before = taps - 1 - lowest
        after = count + taps - 1 - size - before
        return cls(index, first, count, size + taps - 1, before, after)


def _kernel(weights, row, column):
    """Weights of one kind of pixel, as a convolution's: turned about, filters first."""
    return weights[:, :, row::2, column::2][:, :, ::-1, ::-1].transpose(1, 0, 2, 3)


def _output_axis(linear):
    return 0 if linear.op_type == "Conv" else 1


def _attribute(node, name, default):
    for each in node.attribute:
        if each.name == name:
            return helper.get_attribute_value(each)
    return default
