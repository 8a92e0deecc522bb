"""Serves artifacts over HTTP, without TensorFlow.

`models` loads and checks what is served; `batcher` merges requests into batches;
`service` and `tensors` read what clients send; `v2` is the Open Inference Protocol,
`v1` sampling and TensorFlow Serving's `:predict`; `drawing` says which latents are to
be drawn, `card` what a card says; `page` is what a browser shows; `app` puts them
together with limits, logs and metrics; `server` holds connections, and stops without
losing a request.
"""
