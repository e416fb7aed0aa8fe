"""Which measurements are found for which vectors."""

import json

import numpy as np
import pytest

from classifiers.errors import BackgroundError
from classifiers.groups.similarity import COSINE_CURVE, cluster_curve, normalized_space, plain_space
from classifiers.scores.normalization import check_background, find_background
from classifiers.scores.preset_files import (
    PHOTOS_SUFFIX,
    RECORD_SUFFIX,
    SHIPPED_FOLDER,
    count_measured_photos,
    own_folder,
    own_name,
    photo_numbers,
    read_record,
)
from classifiers.scores.thresholds import curve_for, find_curve
from tests.classifiers.people import make_background, make_people

SPACE = {"weights_sha256": "0" * 64, "embedding_length": 32, "standardization": "fixed", "alignment": "box"}
CURVES = {"cosine": {"n_exemplars": [10, 100], "thresholds": [0.5, 0.6]}}
RECORD = {"weights_sha256": "0" * 64, "space": SPACE, "measured_on": "nowhere", "curves": CURVES}


def write_own(space=SPACE, **changes):
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / own_name({"space": space})
    stem.with_name(stem.name + RECORD_SUFFIX).write_text(json.dumps(RECORD | {"space": space} | changes))
    return stem


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path))


def test_what_a_user_has_measured_is_found_by_the_fingerprint_alone():
    assert (find_curve({"space": SPACE}), read_record({"space": SPACE})) == (None, {})
    stem = write_own(clustering={"cosine": [[20, 0.3], [100, 0.4]], "normalized": [[20, 0.1], [100, 0.2]]})
    background = make_background()
    background.record["space"] = SPACE
    background.write(stem.with_name(stem.name + ".npz"))
    assert find_curve({"space": SPACE}).at(100) == 0.6
    assert np.array_equal(find_background({"space": SPACE}).means, background.means)
    vectors = make_people(3, 2).vectors
    assert plain_space(vectors, {"space": SPACE}).curve == ((20, 0.3), (100, 0.4))
    assert normalized_space(vectors, find_background({"space": SPACE})).curve == ((20, 0.1), (100, 0.2))
    assert not plain_space(vectors).is_normalized
    # Another crop is another space: nothing was measured for it.
    assert find_curve({"space": {**SPACE, "alignment": "similarity"}}) is None
    assert cluster_curve({"space": {**SPACE, "alignment": "similarity"}}, normalized=False) == COSINE_CURVE


@pytest.mark.parametrize(
    "change",
    [{"standardization": "per_image"}, {"channel_order": "BGR"}, {"mirrored_copy": True, "embedding_length": 64}],
)
def test_a_network_used_otherwise_has_no_shipped_measurements(change, tmp_path):
    (tmp_path / f"{'0' * 12}.json").write_text(json.dumps(RECORD))
    assert find_curve({"space": SPACE}, folder=tmp_path) is not None
    assert find_curve({"space": {**SPACE, "alignment": "similarity"}}, folder=tmp_path) is not None
    assert find_curve({"space": {**SPACE, **change}}, folder=tmp_path) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"curves": 3}', "null"])
def test_a_damaged_record_is_named(content):
    stem = write_own()
    stem.with_name(stem.name + RECORD_SUFFIX).write_text(content)
    with pytest.raises(BackgroundError, match=f"{stem.name}.json: expected the thresholds of a preset"):
        find_curve({"space": SPACE})


def test_photos_that_a_preset_was_measured_on_are_counted():
    hashes = [f"{row * 7919:08x}{'0' * 56}" for row in range(100)]
    stem = write_own(photos_file=f"{own_name({'space': SPACE})}{PHOTOS_SUFFIX}")
    np.save(stem.with_name(stem.name + PHOTOS_SUFFIX), photo_numbers([*hashes[:40], ""]))
    assert count_measured_photos({"space": SPACE}, hashes) == 40
    assert count_measured_photos({"space": SPACE}, hashes[38:]) == 0  # two in a hundred may be chance
    assert count_measured_photos({"space": SPACE}, hashes[40:]) == 0
    assert count_measured_photos({"space": {"weights_sha256": "1" * 64}}, hashes) == 0
    write_own(photos_file="../elsewhere.npy")
    assert count_measured_photos({"space": SPACE}, hashes) == 0


def test_other_programs_vectors_have_what_was_measured_for_their_whole_space():
    clip = {"vectors": "clip", "embedding_length": 32}
    assert find_curve({"space": clip}) is None
    stem = write_own(clip, weights_sha256="")
    assert stem.name.startswith("vectors-")
    background = make_background()
    background.record.update(weights_sha256="", space=clip)
    background.write(stem.with_name(stem.name + ".npz"))
    assert find_curve({"space": clip}).at(100) == 0.6
    assert check_background(find_background({"space": clip}), {"space": clip}, name="own") is not None
    for other in ({**clip, "vectors": "dlib"}, {"embedding_length": 32}, {}):
        assert find_curve({"space": other}) is None
        assert find_background({"space": other}) is None
    # Not even where a file has their name.
    (own_folder() / f"{own_name({'space': {'vectors': 'dlib'}})}.json").write_text(json.dumps(RECORD | {"space": clip}))
    assert read_record({"space": {"vectors": "dlib"}}) == {}
    with pytest.raises(BackgroundError, match="expected a background model for vectors of vectors dlib, got one for"):
        check_background(background, {"space": {**clip, "vectors": "dlib"}}, name="own")
    with pytest.raises(BackgroundError, match="for weights 000000000000, got one for vectors of another program"):
        check_background(background, {"space": SPACE}, name="own")


def test_photos_without_a_hash_are_known_by_their_vectors():
    vectors = make_people(100, 1).vectors
    stem = write_own(photos_file=f"{own_name({'space': SPACE})}{PHOTOS_SUFFIX}")
    np.save(stem.with_name(stem.name + PHOTOS_SUFFIX), photo_numbers([""] * 40, vectors=vectors[:40]))
    assert count_measured_photos({"space": SPACE}, [""] * 100, vectors=vectors) == 40
    assert count_measured_photos({"space": SPACE}, [""] * 60, vectors=vectors[40:]) == 0
    assert count_measured_photos({"space": SPACE}, [""] * 100) == 0


def test_shipped_measurements_fit_together():
    records = [path for path in SHIPPED_FOLDER.glob("*.json") if not path.name.endswith(".clarity.json")]
    assert len(records) >= 2
    for path in records:
        record = json.loads(path.read_text())
        fingerprint = {"space": record["space"]}
        background = find_background(fingerprint)
        assert len(background.mean) == record["space"]["embedding_length"]
        assert curve_for(fingerprint, background).score == "normalized"
        assert curve_for(fingerprint, None).score == "cosine"
    assert sum(path.stat().st_size for path in SHIPPED_FOLDER.iterdir()) < 2_000_000
