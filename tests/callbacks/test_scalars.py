"""Every logged number has a tag of its own and a description."""

from ganlab.callbacks.scalars import SCALARS


def test_tags_are_unique_and_drawn_by_custom_scalars():
    tags = [scalar.tag for scalar in SCALARS.values()]
    assert len(set(tags)) == len(tags)
    assert all("/" in tag and "(" not in tag for tag in tags)


def test_descriptions_are_sentences():
    for scalar in SCALARS.values():
        assert scalar.description == "" or scalar.description.endswith(".")
