"""What is read, run and written within limits, and whole.

- `bounded`: files of anybody, of a bounded size.
- `onnx_model`: ONNX of anybody, of bounded operators, memory and time.
- `sealed`: zip files that state the hash of their own bytes.
- `interruption`: signals that end a run.
- `limits`: what to do where disk, memory or open files run out.
"""
