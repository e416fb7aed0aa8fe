from pathlib import Path

from embedder.images.listing import ImageListing
from foundation.text import find_lookalikes, lookalike_questions, normalize_name, pluralize


def test_one_and_many() -> None:
    assert [pluralize(n, "photo") for n in (0, 1, 2, 1234567)] == [
        "0 photos",
        "1 photo",
        "2 photos",
        "1,234,567 photos",
    ]
    assert [pluralize(n, "person", "people") for n in (0, 1, 2)] == ["0 people", "1 person", "2 people"]


def test_files_left_out() -> None:
    assert ImageListing((Path(),), (), 1, 1).left_out == "1 hidden file, 1 that are no images"
    assert ImageListing((Path(),), (), 0, 1200).left_out == "0 hidden files, 1,200 that are no images"


def test_names_that_print_alike_are_one():
    assert normalize_name("Zoe\u0308") == normalize_name(" Zo\u00eb\t") == "Zo\u00eb"
    assert normalize_name("\u3000王小明 ") == "王小明" and normalize_name(" ") == ""


def test_names_that_differ_in_case_or_accents_alone_are_asked_about():
    assert find_lookalikes(["Bob", "Zoë", "ZOE", "zoe", "Bob"]) == [("ZOE", "Zoë", "zoe")]
    assert find_lookalikes([]) == [] and lookalike_questions(["Ada", "Bob"]) == []
    (question,) = lookalike_questions(["Zoë", "ZOE", "zoe"])
    assert question.startswith("ZOE, Zoë and zoe differ only in case or accents: 3 people?")
