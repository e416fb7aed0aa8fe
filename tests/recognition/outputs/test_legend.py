import numpy as np

from recognition.outputs.legend import add_legend

IMAGE = np.full((90, 300, 3), 96, np.uint8)
RED = (200, 0, 0)


def test_no_entry_changes_nothing() -> None:
    assert np.array_equal(add_legend(IMAGE, []), IMAGE)


def test_the_picture_stays_and_grows_with_the_entries() -> None:
    one, many = (
        add_legend(IMAGE, [(str(at), "a very long name of a person", RED) for at in range(n)]) for n in (1, 30)
    )
    for drawn in (one, many):
        assert np.array_equal(drawn[:90], IMAGE)
        assert drawn.shape[1] == 300
    assert many.shape[0] > one.shape[0] + 200
    assert (many[90:] == RED).all(axis=2).any()


def test_short_names_stand_in_columns() -> None:
    short, long = (add_legend(IMAGE, [(str(at), name, RED) for at in range(12)]) for name in ("Bo", "Bo" * 30))
    assert short.shape[0] < long.shape[0]


def test_a_picture_narrower_than_a_number() -> None:
    assert add_legend(IMAGE[:, :8], [("17", "Ann", RED)]).shape[1] == 8
