"""Prometheus reads what was counted, and no word of a client's is a label."""

from types import SimpleNamespace

from ganlab.serving.metrics import Metrics


def test_counts_are_read_back():
    metrics = Metrics()
    metrics.count("fashion", "infer", 200, 0.02)
    metrics.count("", "none", 404, 0.01)
    observe = metrics.observer_of_batches("fashion")
    observe(8)
    observe(2)
    metrics.watch_taken("fashion", SimpleNamespace(taken=3))
    text = metrics.text().decode()
    for line in (
        'ganlab_requests_total{model="fashion",route="infer",status="200"} 1.0',
        'ganlab_requests_total{model="",route="none",status="404"} 1.0',
        'ganlab_images_total{model="fashion"} 10.0',
        'ganlab_batch_images_count{model="fashion"} 2.0',
        'ganlab_images_taken{model="fashion"} 3.0',
    ):
        assert line in text.splitlines()
    assert 'ganlab_request_seconds_bucket{le="0.025",model="fashion"' in text
    assert "process_resident_memory_bytes" in text


def test_a_server_counts_its_own_requests(server, ask):
    ask(server, "/v2/models/fashion")
    ask(server, "/v2/models/stranger")
    status, headers, content = ask(server, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'route="model",status="200"' in content
    assert b"stranger" not in content
