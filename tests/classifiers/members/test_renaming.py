"""Another name for a person, and two people who are one."""

import numpy as np
import pytest

from classifiers import OpenSetClassifier, train_head
from classifiers.errors import IdentityError
from classifiers.members.editing import enrol_faces
from classifiers.members.rejection import reject
from classifiers.members.renaming import merge_people, rename_person
from tests.classifiers.people import make_people
from tests.classifiers.samples import make_sample
from tests.classifiers.training.test_train import PEOPLE, table


def trained(**options):
    return train_head(table(), threshold=0.5, **options)


@pytest.mark.parametrize("name", ["gallery", "knn", "svm"])
def test_a_renamed_person_is_found_under_the_new_name(name):
    head = OpenSetClassifier(name, threshold=0.3).fit(PEOPLE.vectors, PEOPLE.identities).head_
    head = reject(head, make_sample(PEOPLE.vectors[14]), "person 000").head
    # The new name sorts last, so that every number of a class changes.
    changed = rename_person(head, "person 000", "Zoe")
    expected = np.where(PEOPLE.identities == "person 000", "Zoe", PEOPLE.identities)
    assert changed.choose(PEOPLE.vectors).tolist() == expected.tolist()
    assert changed.rejections.identities.tolist() == ["Zoe"]
    assert changed.threshold == head.threshold
    assert head.labels[0] == "person 000"


def test_a_name_that_somebody_has_points_to_merge():
    with pytest.raises(
        IdentityError, match=r"'person 001' is enrolled already.*facetable merge HEAD 'person 000' 'per"
    ):
        rename_person(trained(), "person 000", "person 001")
    with pytest.raises(IdentityError, match="'nobody' is not enrolled"):
        rename_person(trained(), "nobody", "Zoe")
    with pytest.raises(IdentityError, match="must hold a letter or a digit"):
        rename_person(trained(), "person 000", "-")


def test_a_name_may_change_its_unicode_form():
    head = rename_person(trained(), "person 000", "Zoe\u0301")
    assert rename_person(head, "Zo\u00e9", "Zoe").labels[0] == "Zoe"


@pytest.mark.parametrize("name", ["gallery", "knn", "svm"])
def test_two_people_become_one(name):
    head = OpenSetClassifier(name, threshold=0.3).fit(PEOPLE.vectors, PEOPLE.identities).head_
    merge = merge_people(head, "person 000", "person 004")
    assert merge.head.gallery.photos_per_identity == {
        "person 001": 3,
        "person 002": 3,
        "person 003": 3,
        "person 004": 6,
    }
    assert set(merge.head.choose(PEOPLE.vectors[PEOPLE.identities == "person 000"])) == {"person 004"}
    assert merge.n_moved == 3 and merge.is_doubtful


def test_one_person_under_two_names_is_not_doubtful():
    one = PEOPLE.identities == "person 000"
    names = np.where(one & (np.arange(15) == 0), "Zoe", PEOPLE.identities)
    merge = merge_people(train_head(table(identities=names), threshold=0.5), "Zoe", "person 000")
    assert not merge.is_doubtful and merge.likeness >= merge.expected


def test_what_was_rejected_follows():
    head = reject(trained(), make_sample(PEOPLE.vectors[14], "stranger"), "person 000").head
    head = reject(head, make_sample(PEOPLE.vectors[14], "stranger"), "person 001").head
    own = make_sample(PEOPLE.vectors[0], image_sha256=f"{0:064x}", box=np.float32([0, 0, 9, 9]))
    head = reject(head, own, "person 001").head
    assert head.rejections.identities.tolist() == ["person 000", "person 001", "person 001"]
    merged = merge_people(head, "person 000", "person 001").head
    assert merged.rejections.identities.tolist() == ["person 001"]  # once, and not of an exemplar
    assert merged.rejections.paths.tolist() == ["stranger.jpg"]


def test_nobody_is_merged_with_themselves():
    with pytest.raises(IdentityError, match="expected two people to merge, got 'person 000' twice"):
        merge_people(trained(), "person 000", "person 000")


def test_a_new_name_outlives_training_again():
    shown = PEOPLE.identities.copy()
    shown[2] = ""  # a photo that joins the folder later
    head = train_head(table(identities=shown), threshold=0.5)
    head = enrol_faces(head, [make_sample(make_people(1, 1, seed=5).vectors[0], "more")], "person 000")
    head = rename_person(head, "person 000", "Zoe")
    for _ in range(2):
        head = train_head(table(), threshold=0.5, previous=head)
        assert head.gallery.photos_per_identity == {
            "Zoe": 4,
            "person 001": 3,
            "person 002": 3,
            "person 003": 3,
            "person 004": 3,
        }
        assert sorted(head.gallery.origins[head.gallery.identities == "Zoe"]) == ["enrolled"] + ["renamed"] * 3
    gone = PEOPLE.identities != "person 000"
    rest = {
        name: getattr(table(), name)[gone] for name in ("embeddings", "identities", "paths", "image_sha256", "boxes")
    }
    assert train_head(table(**rest), threshold=0.5, previous=head).gallery.photos_per_identity["Zoe"] == 1


def test_a_merge_outlives_training_again():
    head = merge_people(trained(), "person 000", "person 001").head
    for _ in range(2):
        head = train_head(table(), threshold=0.5, previous=head)
        assert head.gallery.photos_per_identity == {
            "person 001": 6,
            "person 002": 3,
            "person 003": 3,
            "person 004": 3,
        }


def test_two_names_may_be_swapped():
    head = rename_person(trained(), "person 000", "x")
    head = rename_person(rename_person(head, "person 001", "person 000"), "x", "person 001")
    again = train_head(table(), threshold=0.5, previous=head)
    assert again.choose(PEOPLE.vectors[:6]).tolist() == ["person 001"] * 3 + ["person 000"] * 3
