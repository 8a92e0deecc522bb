"""LitServe's example of a batched model, for the benchmark of serving.

    python scripts/benchmarks/serving_litserve.py ARTIFACT PORT

Batches of up to 64, for which requests are waited for 5 ms.
"""

import base64
import sys

import litserve
import numpy as np
from serving_generator import Generator


class FashionAPI(litserve.LitAPI):
    """The hooks that LitServe calls, in the processes that it starts."""

    artifact = sys.argv[1] if len(sys.argv) > 1 else ""

    def setup(self, device: str) -> None:
        self.generator = Generator(self.artifact)

    def decode_request(self, request: dict) -> dict:
        return request

    def batch(self, requests: list[dict]) -> list[dict]:
        return requests

    def predict(self, requests: list[dict]) -> list[np.ndarray]:
        seeds = [seed for request in requests for seed in request["seeds"]]
        labels = [label for request in requests for label in request["labels"]]
        ends = np.cumsum([len(request["seeds"]) for request in requests])
        return np.split(self.generator.pixels(seeds, labels), ends[:-1])

    def unbatch(self, outputs: list[np.ndarray]) -> list[np.ndarray]:
        return outputs

    def encode_response(self, pixels: np.ndarray) -> dict:
        return {"pixels": base64.b64encode(pixels.tobytes()).decode()}


if __name__ == "__main__":
    api = FashionAPI(max_batch_size=64, batch_timeout=0.005)
    litserve.LitServer(api, accelerator="cpu").run(
        host="127.0.0.1",
        port=int(sys.argv[2]),
        generate_client_file=False,
        log_level="warning",
    )
