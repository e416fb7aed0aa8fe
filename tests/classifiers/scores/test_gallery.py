"""The gallery: who is enrolled, who is nearest, adding, removing and cutting."""

import numpy as np
import pytest

from classifiers.errors import IdentityError
from classifiers.scores.gallery import Gallery, summarize_names

TWO = Gallery.build([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0]], ["Bo", "Ada", "Bo"], paths=["b1", "a1", "b2"])


def test_rows_are_normalized_and_kept_in_order():
    np.testing.assert_allclose(TWO.vectors, [[0, 1], [1, 0], [0.8, 0.6]], atol=1e-7)
    assert TWO.identities.tolist() == ["Bo", "Ada", "Bo"]
    assert TWO.labels.tolist() == ["Ada", "Bo"]
    assert TWO.codes.tolist() == [1, 0, 1]
    assert TWO.photos_per_identity == {"Ada": 1, "Bo": 2}
    assert np.isnan(TWO.boxes).all()
    assert TWO.image_sha256.tolist() == ["", "", ""]


def test_faces_nobody_has_named_are_left_out():
    gallery = Gallery.build(np.eye(3), ["", "Ada", ""], paths=["x", "y", "z"], boxes=np.ones((3, 4)))
    assert (gallery.identities.tolist(), gallery.paths.tolist()) == (["Ada"], ["y"])
    assert gallery.boxes.shape == (1, 4)


def test_adding_and_removing_a_person():
    more = TWO.added(Gallery.build([[1.0, 1.0]], ["Cy"], paths=["c1"], image_sha256=["f" * 64]))
    assert more.labels.tolist() == ["Ada", "Bo", "Cy"]
    assert more.image_sha256.tolist() == ["", "", "", "f" * 64]
    assert more.without("Bo").paths.tolist() == ["a1", "c1"]
    with pytest.raises(IdentityError, match="'Dee' is not enrolled; enrolled are Ada, Bo"):
        TWO.without("Dee")
    with pytest.raises(ValueError, match="vectors of length 2, got 3"):
        TWO.added(Gallery.build(np.eye(3), ["a", "b", "c"]))


def test_cutting():
    assert TWO.filtered(min_photos=2).labels.tolist() == ["Bo"]
    assert TWO.filtered(identities=["Ada"]).labels.tolist() == ["Ada"]
    with pytest.raises(IdentityError, match="not among the table's identities: Cy, Dee; they are Ada, Bo"):
        TWO.filtered(identities=["Dee", "Ada", "Cy"])
    with pytest.raises(IdentityError, match="nobody is left to enrol"):
        TWO.filtered(identities=["Ada"], min_photos=2)
    with pytest.raises(ValueError, match="`min_photos` must be at least 1, got 0"):
        TWO.filtered(min_photos=0)


def test_refuses_the_reserved_name_and_columns_of_other_lengths():
    with pytest.raises(IdentityError, match=r"may not be called 'unknown'.*row 1"):
        Gallery.build(np.eye(2), ["Ada", "unknown"])
    with pytest.raises(ValueError, match="`paths` must have one entry per vector: expected 2, got 1"):
        Gallery.build(np.eye(2), ["Ada", "Bo"], paths=["x"])
    with pytest.raises(ValueError, match="`identities` must have one entry per vector"):
        Gallery.build(np.eye(2), ["Ada"])


def test_names_are_summarized():
    assert summarize_names([]) == "nobody"
    assert summarize_names(["a", "b"]) == "a, b"
