"""The manifest: written last, believed in nothing, and whole or refused."""

import json

import pytest

from ganlab.errors import UserError
from ganlab.provenance.marks import Mark
from ganlab.shards import manifest


@pytest.fixture
def job(make_job):
    return make_job()


@pytest.fixture
def begun(job, tmp_path):
    """A folder with two of three shards, which hold anything."""
    manifest.begin(tmp_path, job)
    for shard in (2, 0):
        path = tmp_path / job.name(shard)
        path.write_bytes(bytes([shard]) * 100)
        manifest.note(tmp_path, manifest.entry_of(path, path, *job.bounds(shard)))
    return tmp_path


def test_whole_shards_are_known_before_and_after_the_end(begun, job):
    names = {job.name(0), job.name(2)}
    entries = manifest.whole_shards(begun, job)
    assert set(entries) == names
    manifest.finish(begun, job, Mark(), entries.values())
    assert not (begun / manifest.PROGRESS).exists()
    assert set(manifest.whole_shards(begun, job)) == names
    content = manifest.read(begun)
    assert [entry["name"] for entry in content["shards"]] == sorted(names)
    assert content["provenance"]["digital_source_type"].endswith(
        "trainedAlgorithmicMedia"
    )
    assert manifest.damaged(begun) == []


def test_a_changed_or_missing_shard_is_named(begun, job):
    entries = manifest.whole_shards(begun, job)
    manifest.finish(begun, job, Mark(), entries.values())
    (begun / job.name(0)).write_bytes(b"\x01" + bytes(99))
    (begun / job.name(2)).unlink()
    assert manifest.damaged(begun) == [job.name(0), job.name(2)]
    assert manifest.whole_shards(begun, job) == {}


def test_a_line_that_breaks_off_is_no_shard(begun, job):
    path = begun / manifest.PROGRESS
    path.write_text(path.read_text()[:-20])
    assert set(manifest.whole_shards(begun, job)) == {job.name(2)}


def test_another_job_is_refused_by_name(begun, make_job):
    with pytest.raises(UserError, match="seed 5, not 6; name a new folder"):
        manifest.whole_shards(begun, make_job(seed=6))


@pytest.mark.parametrize("name", ["../a.tar", "/etc/passwd", "a/b.tar", "samples.tar"])
def test_no_name_leads_out_of_the_folder(begun, job, name):
    entries = manifest.whole_shards(begun, job)
    manifest.finish(begun, job, Mark(), entries.values())
    path = begun / manifest.MANIFEST
    content = json.loads(path.read_text())
    content["shards"][0]["name"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="Expected a manifest of shards"):
        manifest.read(begun)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '{"job": 1}', "{" * 100],
    ids=["empty", "nothing", "list", "job", "deep"],
)
def test_a_damaged_manifest_is_one_line(tmp_path, job, text):
    for name in (manifest.PROGRESS, manifest.MANIFEST):
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match="Expected"):
            manifest.whole_shards(tmp_path, job)
