"""Tensors come whole, of their datatype and shape, or not at all."""

import json

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.serving.tensors import (
    as_numbers,
    check_fields,
    parse_body,
    parse_json,
    read_inputs,
    write_outputs,
)

KINDS = {"latents": "FP32", "labels": "INT32"}
NOTHING = memoryview(b"")


def tensor(name="latents", shape=(2, 2), datatype="FP32", **rest):
    return {"name": name, "shape": list(shape), "datatype": datatype, **rest}


@pytest.mark.parametrize("data", [[1, 2, 3, 4.5], [[1, 2], [3, 4.5]]], ids=str)
def test_json_is_read_flat_or_nested(data):
    arrays = read_inputs([tensor(data=data)], NOTHING, KINDS)
    np.testing.assert_array_equal(arrays["latents"], [[1, 2], [3, 4.5]])
    assert arrays["latents"].dtype == np.float32


def test_binary_tensors_follow_one_another():
    latents = np.arange(4, dtype="<f4")
    labels = np.array([7, 8], "<i4")
    document = [
        tensor(parameters={"binary_data_size": 16}),
        tensor("labels", (2,), "INT32", parameters={"binary_data_size": 8}),
    ]
    binary = memoryview(latents.tobytes() + labels.tobytes())
    arrays = read_inputs(document, binary, KINDS)
    np.testing.assert_array_equal(arrays["latents"], latents.reshape(2, 2))
    np.testing.assert_array_equal(arrays["labels"], labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "named latents, labels"),
        ({"name": ["latents"]}, "named latents, labels"),
        ({"datatype": "FP64"}, "of datatype FP32"),
        ({"shape": [2, 3]}, "of the shape"),
        ({"shape": [2, -2]}, "integers of 1 or more"),
        ({"shape": [True, 4]}, "integers of 1 or more"),
        ({"shape": [4.0]}, "integers of 1 or more"),
        ({"shape": []}, "integers of 1 or more"),
        ({"shape": 4}, "integers of 1 or more"),
        ({"shape": [2**40, 2**40]}, "integers of 1 or more"),
        ({"data": ["1", "2", "3", "4"]}, "lists of numbers"),
        ({"data": [True, False, True, True]}, "lists of numbers"),
        ({"data": [[1, 2], [3]]}, "of equal lengths"),
        ({"data": None}, "lists of numbers"),
        ({"data": {"a": 1}}, "lists of numbers"),
        ({"data": []}, "lists of numbers"),
        ({"extra": 1}, "alone. Received: 'extra'"),
        ({"parameters": {"shared_memory_region": "x"}}, "binary_data_size alone"),
        ({"parameters": {"binary_data_size": 16}}, "Received: binary_data_size 16"),
        ({"parameters": {"binary_data_size": -1}}, "16 bytes of latents"),
        ({"parameters": {"binary_data_size": "16"}}, "16 bytes of latents"),
    ],
    ids=str,
)
def test_what_is_no_tensor_is_one_line(change, message):
    wrong = {**tensor(data=[1, 2, 3, 4]), **change}
    with pytest.raises(UserError, match=message) as caught:
        read_inputs([wrong], NOTHING, KINDS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tensors", [None, [], {}, "latents", [1], [{}] * 33], ids=repr)
def test_what_is_no_list_of_tensors_is_refused(tensors):
    with pytest.raises(UserError, match="Expected"):
        read_inputs(tensors, NOTHING, KINDS)


def test_bytes_that_are_left_are_refused():
    with pytest.raises(UserError, match="Received: 3 bytes more"):
        read_inputs([tensor(data=[1, 2, 3, 4])], memoryview(b"abc"), KINDS)


def test_a_tensor_twice_is_refused():
    with pytest.raises(UserError, match="each once"):
        read_inputs([tensor(data=[1, 2, 3, 4])] * 2, NOTHING, KINDS)


@pytest.mark.parametrize("data", [[2**31], [-(2**31) - 1], [2**63], [1.5]], ids=str)
def test_integers_beyond_their_datatype_are_refused(data):
    with pytest.raises(UserError, match="Expected labels"):
        as_numbers("labels", data, np.dtype("<i4"))


def test_a_header_says_where_the_document_ends():
    document, rest = parse_body(b'{"a": 1}rest', "8")
    assert document == {"a": 1}
    assert bytes(rest) == b"rest"
    assert parse_body(b"[1]", None)[0] == [1]


@pytest.mark.parametrize("length", ["13", "-1", "x", "", "9" * 5000, "²"])
def test_a_header_that_is_wrong_is_refused(length):
    with pytest.raises(UserError, match="Inference-Header-Content-Length within"):
        parse_body(b'{"a": 1}rest', length)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"NaN", b"[" * 100_000, b"\xff", b"1" * 5000],
    ids=lambda t: t[:4],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(UserError, match="Expected a body of JSON"):
        parse_json(text)


def test_fields_that_nobody_reads_are_refused():
    assert check_fields({"a": 1}, ("a", "b"), "a thing") == {"a": 1}
    with pytest.raises(UserError, match="a thing, an object. Received"):
        check_fields([1], ("a",), "a thing")
    with pytest.raises(UserError, match="a, b alone. Received: 'c'"):
        check_fields({"c": 1}, ("a", "b"), "a thing")


def test_outputs_are_written_in_json_and_in_binary():
    images = np.arange(4, dtype=np.float32).reshape(2, 2)
    pixels = np.array([1, 2], np.uint8)
    arrays = {"images": images, "pixels": pixels}
    content, length = write_outputs(
        {"id": "7"}, arrays, {"images": False, "pixels": True}
    )
    document = json.loads(content[:length])
    assert content[length:] == b"\x01\x02"
    assert document == {
        "id": "7",
        "outputs": [
            tensor("images", data=[0.0, 1.0, 2.0, 3.0]),
            tensor("pixels", (2,), "UINT8", parameters={"binary_data_size": 2}),
        ],
    }
    assert write_outputs({}, arrays, dict.fromkeys(arrays, False))[1] is None
