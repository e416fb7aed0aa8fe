import numpy as np
import pytest

from foundation.drawing.rendered_text import text_plate
from recognition.outputs.label_memory import KeptLabel, LabelMemory
from recognition.outputs.overlay import (
    MOST_NAMES,
    NAMED_COLOR,
    SELECTED_COLOR,
    UNKNOWN_COLOR,
    Mark,
    choose_labels,
    draw_marks,
    draw_note,
    draw_photo,
)

GREY = np.full((120, 200, 3), 96, np.uint8)


def test_a_box_and_its_plate_are_drawn_and_the_picture_stays() -> None:
    image = GREY.copy()
    drawn = draw_marks(image, [Mark((50, 60, 90, 100), "ann 0.80", NAMED_COLOR)])
    assert np.array_equal(image, GREY)
    for y, x in ((60, 50), (60, 89), (99, 50), (99, 89), (80, 50), (55, 51)):
        assert tuple(drawn[y, x]) == NAMED_COLOR
    assert tuple(drawn[80, 70]) == (96, 96, 96)


def test_no_mark_changes_nothing() -> None:
    assert np.array_equal(draw_marks(GREY, []), GREY)


def test_without_text_only_the_box_is_drawn() -> None:
    drawn = draw_marks(GREY, [Mark((50, 60, 90, 100), "", NAMED_COLOR)])
    assert np.array_equal(drawn[:60], GREY[:60])


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 200, 120),
        (-30, -30, 20, 20),
        (180, 100, 260, 160),
        (0, 0, 30, 30),
        (300, 300, 320, 320),
        (5, 5, 5, 5),
        (40, -60, 80, -10),
    ],
)
def test_a_face_anywhere_keeps_its_name_in_the_picture(box: tuple[int, int, int, int]) -> None:
    drawn = draw_marks(GREY, [Mark(box, "ann", NAMED_COLOR)])
    assert drawn.shape == GREY.shape
    if box[0] < 200:
        assert (drawn.min(axis=2) > 180).any(), "no letter is seen"


def test_a_name_of_two_lines_is_drawn_on_one() -> None:
    assert np.array_equal(text_plate("an\nn", 12, NAMED_COLOR), text_plate("an n", 12, NAMED_COLOR))


def test_a_picture_smaller_than_a_label() -> None:
    assert draw_marks(np.zeros((6, 8, 3), np.uint8), [Mark((1, 1, 5, 5), "long name", NAMED_COLOR)]).shape == (6, 8, 3)


def test_labels_grow_with_their_face_and_stay_in_bounds() -> None:
    image = np.full((900, 1200, 3), 96, np.uint8)
    small = draw_marks(image, [Mark((100, 400, 130, 430), "ann", NAMED_COLOR)])
    large = draw_marks(image, [Mark((100, 400, 400, 700), "ann", NAMED_COLOR)])
    heights = [int((drawn[:398] == NAMED_COLOR).all(axis=2).any(axis=1).sum()) for drawn in (small, large)]
    assert heights == [14, 40]  # plates of letters of 10 and of 28 pixels


def test_a_long_name_does_not_span_the_picture() -> None:
    image = np.full((768, 1024, 3), 96, np.uint8)
    drawn = draw_marks(image, [Mark((500, 300, 560, 370), "Maximilian " * 20, NAMED_COLOR, "0.83")])
    columns = np.flatnonzero((drawn == NAMED_COLOR).all(axis=2).any(axis=0))
    assert columns[-1] - columns[0] < 140


def test_a_label_that_had_to_move_has_a_line_to_its_face() -> None:
    crowd = [Mark((x, y, x + 40, y + 40), "", UNKNOWN_COLOR) for x in range(60, 181, 40) for y in range(60, 181, 40)]
    image = np.full((300, 300, 3), 96, np.uint8)
    drawn = draw_marks(image, [*crowd, Mark((100, 100, 140, 140), "ann", NAMED_COLOR)])
    drawn[99:141, 99:141] = 0  # the box itself
    crowd_pixels = drawn[60:220, 60:220].astype(int)
    # Green alone, whose edges are smooth: from the face to the crowd's edge, across the one box that lies between.
    assert 30 <= (crowd_pixels[..., 1] > crowd_pixels[..., 0] + 30).sum() <= 200


def test_numbers_have_a_legend_below_and_frames_keep_their_size() -> None:
    image = np.full((200, 300, 3), 96, np.uint8)
    marks = [
        Mark((50, 60, 90, 100), "ann", NAMED_COLOR, "0.81", 0),
        Mark((150, 60, 190, 100), "unknown", UNKNOWN_COLOR, "0.20", 1, is_named=False),
    ]
    assert draw_marks(image, marks, labels="numbers").shape == image.shape
    drawn = draw_photo(image, marks, labels="numbers")
    assert drawn.shape[1] == 300
    assert drawn.shape[0] > 200 + 12
    assert np.array_equal(drawn[120:200], image[120:])
    for color in (NAMED_COLOR, UNKNOWN_COLOR):
        assert (drawn[200:] == color).all(axis=2).any()


def test_without_labels_boxes_alone_are_drawn() -> None:
    drawn = draw_photo(GREY, [Mark((50, 60, 90, 100), "ann", NAMED_COLOR, "0.8", 0)], labels="none")
    assert np.array_equal(drawn, draw_marks(GREY, [Mark((50, 60, 90, 100), "", NAMED_COLOR)]))


def test_more_faces_than_names_have_room_for_get_numbers() -> None:
    assert choose_labels(MOST_NAMES, None) == "names"
    assert choose_labels(MOST_NAMES + 1, None) == "numbers"
    assert choose_labels(MOST_NAMES + 1, "names") == "names"


def test_a_note_stands_at_the_lower_edge() -> None:
    drawn = draw_note(GREY, "paused")
    assert tuple(drawn[-1, 0]) == SELECTED_COLOR
    assert np.array_equal(drawn[:90], GREY[:90])


def plate_height_of(drawn: np.ndarray) -> int:
    return int((drawn[:398] == NAMED_COLOR).all(axis=2).any(axis=1).sum())


def test_a_label_keeps_its_size_while_its_face_trembles_and_grows_with_it() -> None:
    image = np.full((900, 1200, 3), 96, np.uint8)
    memory = LabelMemory()
    heights = []
    for side in (99, 101, 98, 102, 99, 130, 101):
        mark = Mark((100, 400, 100 + side, 400 + side), "ann", NAMED_COLOR, number=7)
        heights.append(plate_height_of(draw_marks(image, [mark], memory=memory)))
    # Letters of 18, then of 24 pixels, then of 20.
    assert heights == [25] * 5 + [34, 29]


def test_a_shortened_name_stays_as_it_is_while_its_face_trembles() -> None:
    image = np.full((900, 1200, 3), 96, np.uint8)
    memory = LabelMemory()
    name = "Maximilian von Hohenlohe-Schillingsfürst"
    widths = set()
    for side in (160, 163, 159, 161, 158):
        draw_marks(image, [Mark((100, 400, 100 + side, 500), name, NAMED_COLOR, number=7)], memory=memory)
        label = memory.label_of(7)
        assert label is not None
        widths.add(label.max_width)
    assert len(widths) == 1


def test_a_face_at_the_edge_keeps_its_label_below_on_the_next_frames() -> None:
    memory = LabelMemory()
    marks = [Mark((50, y, 90, y + 40), "ann", NAMED_COLOR, number=3) for y in (10, 30)]
    drawn = [draw_marks(GREY, [mark], memory=memory) for mark in marks]
    assert np.array_equal(drawn[1][:29], GREY[:29])
    forgetful = draw_marks(GREY, marks[1:])
    assert not np.array_equal(forgetful[:29], GREY[:29])


def test_faces_without_a_track_are_not_remembered() -> None:
    memory = LabelMemory()
    draw_marks(GREY, [Mark((50, 10, 90, 50), "ann", NAMED_COLOR)], memory=memory)
    assert memory.label_of(None) is None


def test_the_tracks_seen_last_are_remembered() -> None:
    memory = LabelMemory()
    for track in [*range(256), 0, 256]:
        memory.keep(track, KeptLabel(10, 110))
    assert memory.label_of(0) == KeptLabel(10, 110)
    assert memory.label_of(1) is None
