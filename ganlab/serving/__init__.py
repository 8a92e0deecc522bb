"""Serves artifacts over HTTP, without TensorFlow.

`models` loads and checks what is served; `batcher` merges requests into batches;
`requests` and `tensors` read what clients send; `v2` is the Open Inference Protocol,
`v1` sampling and TensorFlow Serving's `:predict`; `app` puts them together with limits,
logs and metrics; `server` holds connections, and stops without losing a request.
"""
