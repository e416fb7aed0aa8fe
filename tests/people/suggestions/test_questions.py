"""Questions: what is asked, in which order, and that an answer is a decision and ends the asking."""

import numpy as np
import pytest

from classifiers.scores.clarity import Clarity
from embedder.tables.table import EmbeddingTable
from people.errors import DecisionError, PersonError
from people.store.scanned import NO_GROUP
from people.store.store import PeopleStore
from people.suggestions import questions as questions_module
from people.suggestions.answers import answer, check_independent
from people.suggestions.questions import Suggestion, chance_of_one_person, find_question, find_questions, find_these
from people.workspace.table_rows import record_table
from tests.embedder.fakes import make_table

# Cosines of two faces: 0.8 within a set; 0.4 between sets 0 and 1, just below what one person needs; else about 0.
SETS = ([0, 1, 2], [3, 4], [5, 6, 7, 8])


def vectors(n: int, length: int, share: float = 0.5) -> np.ndarray:
    made = np.zeros((n, length), np.float32)
    for number, rows in enumerate(SETS):
        made[rows, number] = np.sqrt(0.8)
        made[rows, 8 + np.array(rows)] = np.sqrt(0.2)
    # Set 1 lies partly where set 0 does.
    made[SETS[1], 0], made[SETS[1], 1] = np.sqrt(0.8) * share, np.sqrt(0.8) * np.sqrt(1 - share**2)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def table() -> EmbeddingTable:
    made = make_table([1] * 9)
    object.__setattr__(made, "embeddings", vectors(9, 24))
    object.__setattr__(made, "detection_scores", np.full(9, 0.99, np.float32))
    return made


@pytest.fixture
def store(table, tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True) as opened:
        record_table(opened, table)
        groups = np.full(9, NO_GROUP)
        for number, rows in enumerate(SETS):
            groups[rows] = number
        opened.record_groups(groups)
        yield opened


def ask(store, table):
    return find_questions(store, table)


def test_two_groups_just_below_the_threshold_are_asked_about(store, table):
    (question,) = ask(store, table)
    assert (question.kind, question.n_settled, len(question.faces), len(question.others)) == ("same_person", 2, 3, 2)
    assert question.threshold - 0.12 <= question.similarity < question.threshold
    assert question.text.startswith("are group 0 (3 faces) and group 1 (2 faces) the same person? (similarity 0.40")
    rows = [(one.row, two.row) for one, two, _ in question.evidence]
    assert len(rows) == 2 and all(one in SETS[0] and two in SETS[1] for one, two in rows)


@pytest.mark.parametrize("given", ["yes", "no", "later"])
def test_an_answered_question_is_not_asked_again_until_the_answer_is_taken_back(store, table, given):
    (question,) = ask(store, table)
    decision = answer(store, question, given)
    assert ask(store, table) == []
    if given == "later":
        assert decision is None and store.revision == 0
        return
    assert decision.kind == ("same" if given == "yes" else "different")
    store.undo()
    assert [again.id for again in ask(store, table)] == [question.id]


def test_a_group_like_a_person_is_asked_about_and_no_means_not_this_person(store, table):
    ada = store.name([face.face for face in store.groups()[1].faces], "Ada").person
    (question,) = ask(store, table)
    assert (question.kind, question.n_settled, question.person) == ("is_this", 2, ada)
    assert "is group 1 (2 faces) Ada?" in question.text
    decision = answer(store, question, "no")
    assert (decision.kind, decision.n_faces, decision.person) == ("is_not", 2, ada)
    assert ask(store, table) == []


def test_yes_names_the_group(store, table):
    store.name([face.face for face in store.groups()[1].faces], "Ada")
    answer(store, ask(store, table)[0], "yes")
    assert {person.name: person.n_faces for person in store.people()} == {"Ada": 5}


def test_two_people_who_may_be_one_keep_the_name_of_who_has_more_faces(store, table):
    groups = {group.number: [face.face for face in group.faces] for group in store.groups()}
    store.name(groups[1], "Annie")
    store.name(groups[0], "Anna")
    (question,) = ask(store, table)
    assert question.text.startswith("are Annie and Anna the same person?")
    assert answer(store, question, "yes").kind == "merge"
    assert [(person.name, person.n_faces) for person in store.people()] == [("Anna", 5)]


def test_a_face_named_wrongly_is_doubted_and_yes_ends_the_doubt(store, table):
    faces = {face.row: face.face for face in store.faces_in_table()}
    store.name([faces[row] for row in (0, 1, 2, 5)], "Ada")
    store.name([faces[row] for row in (6, 7, 8)], "Bob")
    doubts = [question for question in ask(store, table) if question.kind == "is_really"]
    assert [question.faces[0].row for question in doubts] == [5]
    assert answer(store, doubts[0], "yes").kind == "is"
    assert "is_really" not in {question.kind for question in ask(store, table)}
    store.undo()
    assert answer(store, doubts[0], "no").kind == "is_not"
    assert {person.name: person.n_faces for person in store.people()} == {"Ada": 3, "Bob": 3}


def test_a_face_found_without_certainty_is_asked_about(store, table):
    table.detection_scores[6] = 0.71
    asked = {question.kind: question for question in ask(store, table)}
    assert asked["not_a_face"].faces[0].row == 6
    assert answer(store, asked["not_a_face"], "yes").kind == "not_a_face"
    assert "not_a_face" not in {question.kind for question in ask(store, table)}


@pytest.mark.parametrize(
    ("share", "kinds"), [(0.55, ["same_person", "not_a_face"]), (0.5, ["not_a_face", "same_person"])]
)
def test_the_question_that_probably_settles_most_comes_first_and_the_limit_holds(store, table, share, kinds):
    object.__setattr__(table, "embeddings", vectors(9, 24, share))
    table.detection_scores[6] = 0.71
    found = ask(store, table)
    assert [question.kind for question in found] == kinds
    worth = [question.n_settled * question.chance for question in found]
    assert worth == sorted(worth, reverse=True)
    assert [question.kind for question in find_questions(store, table, limit=1)] == kinds[:1]


def test_an_answer_is_yes_no_or_later(store, table):
    with pytest.raises(DecisionError, match="one of yes, no, later, got 'maybe'"):
        answer(store, ask(store, table)[0], "maybe")


def test_nothing_to_ask(tmp_path):
    empty = make_table([])
    with PeopleStore(tmp_path / "other.sqlite", create=True) as store:
        record_table(store, empty)
        assert find_questions(store, empty) == []


def test_a_face_in_no_group_is_asked_about(store, table):
    store.record_groups(np.array([0, 0, 0, 1, NO_GROUP, 2, 2, 2, 2]))
    store.name([face.face for face in store.groups()[2].faces], "Ada")
    ada = store.find_person("Ada").number
    (question,) = [one for one in ask(store, table) if one.faces[0].row == 4]
    assert (question.kind, question.n_settled, question.person) == ("is_this", 1, ada)
    face = question.faces[0]
    assert question.text.startswith(f"is {face.path}#{face.face_index} Ada? (similarity 0.80")
    assert answer(store, question, "yes").kind == "is"
    assert store.find_person("Ada").n_faces == 2


def test_what_was_said_to_be_one_person_is_one_group_at_once(store, table):
    (question,) = ask(store, table)
    answer(store, question, "yes")
    groups = {group.number: [face.row for face in group.faces] for group in store.groups()}
    assert groups == {0: [0, 1, 2, 3, 4], 2: [5, 6, 7, 8]}
    store.name([face.face for face in store.groups()[0].faces], "Ada")
    assert [group.number for group in store.groups()] == [2] and ask(store, table) == []
    store.undo()
    store.undo()
    assert {group.number: len(group.faces) for group in store.groups()} == {0: 3, 1: 2, 2: 4}


def test_each_unnamed_set_is_in_one_question_and_all_can_be_found_by_their_id(store, table):
    # Sets 0 and 1 and set 1's face 4 are alike in pairs: three candidates.
    store.record_groups(np.array([0, 0, 0, 1, NO_GROUP, 2, 2, 2, 2]))
    first, *others = ask(store, table)
    assert {face.row for face in first.faces + first.others}.isdisjoint(
        {face.row for question in others for face in question.faces + question.others}
    )
    assert find_question(store, table, first.id) == first
    assert find_question(store, table, "0" * 12) is None
    answer(store, first, "later")
    assert find_question(store, table, first.id) is None


def test_the_more_alike_the_likelier_yes_and_the_earlier_it_is_asked():
    assert chance_of_one_person(-0.05, 0.05) > chance_of_one_person(-0.05, 0.0) > chance_of_one_person(-0.1, 0.0)
    assert chance_of_one_person(0.05, 0.2) > 0.9 and chance_of_one_person(-0.12, -0.1) < 0.01


def test_two_faces_of_one_photo_are_never_asked_to_be_one_person(tmp_path):
    made = make_table([1, 1, 2, 1])
    object.__setattr__(made, "embeddings", vectors(9, 24)[:5])
    object.__setattr__(made, "detection_scores", np.full(5, 0.99, np.float32))
    with PeopleStore(tmp_path / "other.sqlite", create=True) as store:
        record_table(store, made)
        # Rows 2 and 3 stand on one photo, in sets that are otherwise alike enough to be asked about.
        store.record_groups(np.array([0, 0, 0, 1, 1]))
        assert find_questions(store, made) == []
        store.record_groups(np.array([0, 0, NO_GROUP, 1, 1]))
        assert {question.kind for question in find_questions(store, made)} == {"same_person"}


def test_nearly_the_same_picture_under_two_names_is_asked_about(store, table):
    object.__setattr__(table, "embeddings", vectors(9, 24, share=0))
    table.embeddings[8] = table.embeddings[0]
    faces = store.faces_of_rows(range(9))
    ada = store.name([faces[row] for row in SETS[0]], "Ada").person
    eve = store.name([faces[row] for row in SETS[2]], "Eve").person
    question = next(one for one in ask(store, table) if one.kind == "one_event")
    # The face that is unlike the others of its name is the one in question.
    assert ([face.row for face in question.faces], [face.row for face in question.others]) == ([8], [0])
    assert (question.n_settled, question.person, question.other) == (1, ada, eve)
    assert (question.evidence[0][2], question.threshold) == (pytest.approx(1), 0.95)
    assert question.text.startswith("is a/8.jpg#0, named Eve, Ada? a/0.jpg#0 is named so and nearly the same")
    assert answer(store, question, "no").kind == "different"
    assert "one_event" not in [one.kind for one in ask(store, table)]
    store.undo()
    assert answer(store, question, "yes").n_faces == 1
    assert {person.name: person.n_faces for person in store.people()} == {"Ada": 4, "Eve": 3}


def test_a_second_detector_decides_which_faces_may_be_none(store, table):
    table.detection_scores[[1, 6]] = 0.71
    second = np.full(9, 0.8, np.float32)
    second[[6, 7]] = [np.nan, 0.05]
    object.__setattr__(table, "second_scores", second)
    asked = [one for one in ask(store, table) if one.kind == "not_a_face"]
    # Row 7 was found with 0.99; row 1 was not, but the second detector is sure; row 6 it was not asked about.
    assert [one.faces[0].row for one in asked] == [7, 6]
    assert asked[0].likely == "yes" and asked[1].likely == "no"
    assert asked[0].text.endswith("no face at all? It was found with a score of 0.99, a second detector gives it 0.05.")


def test_whether_a_drawn_face_is_one_is_not_asked(store, table):
    table.detection_scores[2] = table.detection_scores[4] = 0.3
    object.__setattr__(table, "origins", np.array(["detected"] * 4 + ["drawn"] + ["detected"] * 4, object))
    assert [one.faces[0].row for one in ask(store, table) if one.kind == "not_a_face"] == [2]


def test_a_name_says_who_two_unnamed_sets_are_in_one_decision(store, table):
    (question,) = ask(store, table)
    assert question.is_about_unnamed
    decision = answer(store, question, "yes", name="Ada")
    assert (decision.kind, decision.n_faces) == ("is", 5) and ask(store, table) == []
    assert {person.name: person.n_faces for person in store.people()} == {"Ada": 5}
    store.undo()
    assert [again.id for again in ask(store, table)] == [question.id] and not store.people()


def test_a_name_goes_with_a_yes_about_unnamed_faces_alone(store, table):
    (question,) = ask(store, table)
    with pytest.raises(DecisionError, match=r"expected a name with a yes .* got 'Ada' with no to: are group 0"):
        answer(store, question, "no", name="Ada")
    with pytest.raises(PersonError):
        answer(store, question, "yes", name="unknown")
    store.name([face.face for face in store.groups()[1].faces], "Ada")
    (question,) = ask(store, table)
    with pytest.raises(DecisionError, match="got 'Eve' with yes to: is group 1"):
        answer(store, question, "yes", name="Eve")
    assert ask(store, table) == [question]


def test_the_likelier_answer(store, table):
    table.detection_scores[6] = 0.71
    faces = {face.row: face.face for face in store.faces_in_table()}
    store.name([faces[row] for row in (0, 1, 2, 5)], "Ada")
    store.name([faces[row] for row in (7, 8)], "Bob")
    first = ask(store, table)
    for question in first:
        answer(store, question, "later")  # what is asked of row 6 hides that it may be no face
    likely = {question.kind: (question.likely, question.chance) for question in (*first, *ask(store, table))}
    assert likely["not_a_face"][0] == "no" and likely["is_really"] == ("yes", 0.5)
    assert all((chance >= 0.5) == (said == "yes") for said, chance in likely.values())


def test_several_questions_are_found_together_and_none_may_share_unnamed_faces(store, table):
    table.detection_scores[6] = 0.71
    first, second = ask(store, table)
    assert find_these(store, table, [second.id, first.id, "0" * 12]) == {first.id: first, second.id: second}
    assert find_these(store, table, []) == {}
    check_independent([first, second])
    with pytest.raises(DecisionError, match=f"got {first.id} and {first.id}, which share some"):
        check_independent([first, first])


def test_no_two_questions_that_are_found_together_decide_about_one_face(store, table):
    table.detection_scores[[0, 5, 6]] = 0.71
    faces = {face.row: face.face for face in store.faces_in_table()}
    store.name([faces[row] for row in (0, 1, 2, 5)], "Ada")
    store.name([faces[row] for row in (7, 8)], "Bob")
    found = find_questions(store, table)
    assert len(found) > 1
    check_independent(found)


def test_two_people_who_are_one_already_are_not_merged_again(store, table):
    faces = {face.row: face.face for face in store.faces_in_table()}
    for row, name in ((0, "Ada"), (1, "Ann"), (2, "Annie")):
        store.name([faces[row]], name)
    one, two, three = (store.find_person(name).number for name in ("Ada", "Ann", "Annie"))
    seen = {face.row: face for face in store.faces_in_table()}

    def merging(first, second):
        return Suggestion(
            id=f"{first}{second}".zfill(12),
            kind="same_person",
            text="",
            n_settled=1,
            faces=(seen[0],),
            others=(seen[1],),
            person=first,
            other=second,
            chance=0.9,
            similarity=0.9,
            threshold=0.5,
            evidence=(),
        )

    made = [answer(store, merging(*pair), "yes") for pair in ((one, two), (two, three), (one, three))]
    assert [decision is None for decision in made] == [False, False, True]


def test_faces_too_blurred_to_be_told_apart_are_not_compared_with_each_other(store, table, monkeypatch):
    (question,) = ask(store, table)
    direction = np.zeros(24, np.float32)
    direction[[0, 1]] = -1
    for threshold, asked in ((-0.5, []), (-1.0, [question])):  # both are, or set 1 alone
        monkeypatch.setattr(questions_module, "find_clarity", lambda _, least=threshold: Clarity(direction, least, "w"))
        assert ask(store, table) == asked
