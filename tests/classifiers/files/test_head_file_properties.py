"""A damaged head file is refused as damaged, or is not damaged where it matters: it never gives another head."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.naive_bayes import GaussianNB

from classifiers import OpenSetClassifier
from classifiers.errors import HeadFileError, UntrustedTypesError
from classifiers.files.head_arrays import pack_head
from classifiers.files.head_file import describe_head, load_head, save_head
from classifiers.heads.head import Head
from tests.classifiers.people import FINGERPRINT, make_background, make_people
from tests.properties import FEW

PEOPLE = make_people(4, 3, length=8)


class HeadFile(NamedTuple):
    path: Path
    content: bytes
    described: Any


@pytest.fixture(scope="module", params=["gallery", "svm", "bayes"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HeadFile:
    """Return the file of a head: one with a background, one with coefficients, one with a fitted estimator."""
    estimator = GaussianNB() if request.param == "bayes" else request.param
    background = make_background(length=8) if request.param == "gallery" else None
    classifier = OpenSetClassifier(estimator, 0.5, background=background)
    n = len(PEOPLE.identities)
    head = classifier.fit(
        PEOPLE.vectors,
        PEOPLE.identities,
        paths=[f"{row}.jpg" for row in range(n)],
        image_sha256=[f"{row:064x}" for row in range(n)],
        boxes=np.arange(4 * n).reshape(-1, 4),
        fingerprint=FINGERPRINT,
    ).head_
    path = tmp_path_factory.mktemp("heads") / f"{request.param}.skops"
    save_head(head, path)
    return HeadFile(path, path.read_bytes(), described(load_head(path)))


def described(head: Head) -> Any:
    """Return all that a head is and answers, to be compared."""
    record = describe_head(head) | {"created": ""}
    arrays = {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in pack_head(head).items()}
    return json.dumps(record, sort_keys=True), arrays, head.choose(PEOPLE.vectors).tolist()


def directory_start(content: bytes) -> int:
    """Return where the zip's directory starts, from the record at its end."""
    end = content.rindex(b"PK\x05\x06")
    return int.from_bytes(content[end + 16 : end + 20], "little")


def load_changed(saved: HeadFile, content: bytes) -> Head:
    damaged = saved.path.with_name("damaged.skops")
    damaged.write_bytes(content)
    return load_head(damaged)


def is_refused_or_the_same(saved: HeadFile, content: bytes) -> bool:
    try:
        return described(load_changed(saved, content)) == saved.described
    except (HeadFileError, UntrustedTypesError) as error:
        return "damaged.skops: " in str(error) and "\n" not in str(error)


@FEW
@given(place=st.integers(0, 2**30), bits=st.integers(1, 255))
def test_a_changed_byte_never_gives_another_head(saved: HeadFile, place: int, bits: int) -> None:
    content = bytearray(saved.content)
    content[place % len(content)] ^= bits
    assert is_refused_or_the_same(saved, bytes(content))


@FEW
@given(place=st.integers(0, 2**30), bits=st.integers(1, 255))
def test_a_changed_byte_of_the_directory_never_gives_another_head(saved: HeadFile, place: int, bits: int) -> None:
    """The directory at the zip's end is a small part of the file, and where damage does the strangest things."""
    content = bytearray(saved.content)
    start = directory_start(saved.content)
    content[start + place % (len(content) - start)] ^= bits
    assert is_refused_or_the_same(saved, bytes(content))


@FEW
@given(length=st.integers(0, 2**30))
def test_a_cut_never_gives_another_head(saved: HeadFile, length: int) -> None:
    assert is_refused_or_the_same(saved, saved.content[: length % len(saved.content)])


@pytest.mark.parametrize("bits", [0x40, 0x80])
def test_an_entry_before_the_files_first_byte_is_damage(saved: HeadFile, bits: int) -> None:
    content = bytearray(saved.content)
    content[-5] ^= bits
    with pytest.raises(HeadFileError, match=r"found a damaged one \(an entry lies outside of it\); train it again"):
        load_changed(saved, content)


def test_an_entry_of_another_zip_version_is_damage(saved: HeadFile) -> None:
    content = bytearray(saved.content)
    content[directory_start(saved.content) + 6] ^= 0x80
    with pytest.raises(HeadFileError, match=r"damaged\.skops: expected a whole head, found a damaged one \(zip file"):
        load_changed(saved, content)
