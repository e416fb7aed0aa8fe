"""What lies in a folder before a page's commands are run in it, and what somebody does by hand between them."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

import facetable
from embedder.detection import centerface
from embedder.networks.presets import DEFAULT_PRESET, PRESETS
from embedder.runtime.cache import cache_folder
from embedder.runtime.weights import fetched_file
from tests import PROJECT
from tests.classifiers.measuring.test_head_comparison import crowd
from tests.docs.pages import blocks_of
from tests.test_train_classifier import write_table

Step = Callable[[Path, Path], None]
"""Something done in the working folder; the second argument is the folder of the real photos."""

PEOPLE = {"Anna": "biden", "Bob": "obama"}
LARGEST_SIDE = 600
"""Of the photos that the commands are given, so that faces are found quickly."""


@dataclass(frozen=True)
class Scene:
    """How a page's commands are tried.

    Parameters
    ----------
    before : tuple of Step
        What makes the files that the page speaks of.
    by_hand : dict
        Beginning of a command -> what somebody does before it, as the page says.
    words : dict
        What the page leaves open -> what is given in its place.
    more : dict
        Name of a command -> arguments that make it shorter.
    exit_codes : dict
        Beginning of a command -> its exit code, where it is not 0.
    needs : dict
        Word of a command -> whether the file is here that it needs; the command is left out where it is not.
    check : Step or None
        What must hold in the end.
    """

    before: tuple[Step, ...] = ()
    by_hand: dict[str, Step] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    more: dict[str, list[str]] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)
    needs: dict[str, bool] = field(default_factory=dict)
    check: Step | None = None


def copy_small(source: Path, target: Path, *, largest: int = LARGEST_SIDE) -> None:
    """Copy a photo, made smaller."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as photo:
        photo.thumbnail((largest, largest))
        photo.convert("RGB").save(target)


def photos_of(data: Path, person: str) -> list[Path]:
    """Return the photos that there are of somebody."""
    return sorted((data / "people" / "train" / person).iterdir())


def _folders_of_people(folder: Path, data: Path) -> None:
    for name, person in PEOPLE.items():
        for number, photo in enumerate(photos_of(data, person)):
            copy_small(photo, folder / "photos" / name / f"{number}.jpg")


def _party(folder: Path, data: Path) -> None:
    copy_small(data / "people" / "test" / "obama_and_biden.jpg", folder / "party.jpg", largest=800)


def _albums(folder: Path, data: Path) -> None:
    """Photos of two people by year below the home folder, one of them of both."""
    for person in PEOPLE.values():
        for number, photo in enumerate(photos_of(data, person)):
            copy_small(photo, folder / "home" / "Photos" / "2023" / f"{person}{number}.jpg")
    _party(folder, data)
    taken = Image.Exif()
    taken[0x0132] = "2019:07:01 12:00:00"  # when, as EXIF has it
    with Image.open(folder / "party.jpg") as photo:
        photo.save(folder / "home" / "Photos" / "2023" / "party.jpg", exif=taken)


def _ada(folder: Path, data: Path) -> None:
    """Photos of Ada, and of somebody who is not she."""
    for number, photo in enumerate(photos_of(data, "rose_leslie"), 1):
        copy_small(photo, folder / f"ada{number}.jpg", largest=900)
    copy_small(photos_of(data, "alex_lacamoire")[0], folder / "stranger.jpg")


def _commands(*lines: str) -> Step:
    """Return a step of commands that the page takes for granted."""

    def step(folder: Path, data: Path) -> None:
        for line in lines:
            assert facetable.main(line.split()) == 0

    return step


_TABLE = _commands("embed photos -o faces.h5")
_HEAD = _commands("train faces.h5 -o heads/family.skops")
_WORKSPACE = _commands(
    "init family --photos home/Photos",
    "scan family",
    "people family name --group 0 Anna",
    "people family name --group 1 Bob",
)


def _names_in_the_list(folder: Path, data: Path) -> None:
    """Write a name into the list of groups, one row a group."""
    file = folder / "people.csv"
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    for row in rows:
        row["name"] = next((name for name in PEOPLE if row["path"].startswith(f"{name}/")), "")
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def _who_was_found(folder: Path, data: Path) -> None:
    """Both of them are on one photo, which the copies hold, too."""
    assert facetable.main(["find", "family", "--with", "Anna", "--with", "Bob", "--json", "found.json"]) == 0
    assert '"2023/party.jpg"' in Path("found.json").read_text("utf-8")


def _who_is_forgotten(folder: Path, data: Path) -> None:
    assert facetable.main(["audit", "heads", "--name", "Ada"]) == 0


def _ada_twice(folder: Path, data: Path) -> None:
    """A head of Anna, Bob and ``Ada_2``, on whose photos Ada is not known again."""
    copy_small(photos_of(data, "kit_harington")[0], folder / "photos" / "Ada_2" / "1.jpg", largest=900)
    (folder / "tables").mkdir()


def _the_page_module(folder: Path, data: Path) -> None:
    """The class that docs/heads.md shows, as a module."""
    (block,) = [block for block in blocks_of(PROJECT / "docs" / "heads.md") if block.language == "python"]
    (folder / "my_module.py").write_text(block.code, "utf-8")


def _pairs(folder: Path, data: Path) -> None:
    """Pairs of two people in two folds, and their photos named as those of LFW."""
    names = {"biden": "biden", "obama": "obama", "kit": "kit_harington", "rose": "rose_leslie"}
    for name, person in names.items():
        for number, photo in enumerate(photos_of(data, person), 1):
            copy_small(photo, folder / "photos" / name / f"{name}_{number:04d}.jpg")
    one, other = "biden\t1\t2\nobama\t1\t2\n", "biden\t1\tobama\t1\nbiden\t2\tobama\t2\n"
    two, more = "kit\t1\t2\nrose\t1\t2\n", "kit\t1\trose\t1\nkit\t2\trose\t2\n"
    (folder / "pairs.txt").write_text(f"2\t2\n{one}{other}{two}{more}", "utf-8")


def _tables_of_two_networks(folder: Path, data: Path) -> None:
    """Two tables of the same photos; that they are of one network does not matter to the command."""
    assert facetable.main(["embed", "photos", "-o", "one.h5", "--one-face"]) == 0
    shutil.copy("one.h5", "other.h5")


def _crowd(folder: Path, data: Path) -> None:
    write_table(folder / "faces.h5", crowd(60, 4))


def _foreign_network(folder: Path, data: Path) -> None:
    """A network of somebody else, which is that of the default preset, with a record beside it."""
    (folder / "networks").mkdir()
    network = next(cache_folder().glob(f"{DEFAULT_PRESET}-[0-9a-f]*.onnx"))
    shutil.copy(network, folder / "networks" / "mine.onnx")
    assert facetable.main(["preset", "new", "networks/mine.onnx"]) == 0


def _remembered(folder: Path, data: Path) -> None:
    """A table and a workspace in the home folder, both of which hold Ada."""
    home = folder / "home"
    for number, photo in enumerate(photos_of(data, "rose_leslie"), 1):
        copy_small(photo, home / "faces" / "photos" / "Ada" / f"{number}.jpg")
    copy_small(photos_of(data, "obama")[0], home / "faces" / "photos" / "Bob" / "1.jpg")
    shutil.copy(home / "faces" / "photos" / "Ada" / "1.jpg", folder / "ada.jpg")
    shutil.copy(folder / "ada.jpg", folder / "somebody.jpg")
    assert facetable.main(["embed", str(home / "faces" / "photos"), "-o", str(home / "faces" / "faces.h5")]) == 0
    assert facetable.main(["init", str(home / "family"), "--photos", str(home / "faces" / "photos")]) == 0
    assert facetable.main(["scan", str(home / "family")]) == 0


def _nobody_holds_ada(folder: Path, data: Path) -> None:
    assert facetable.main(["audit", str(folder / "home" / "faces" / "faces.h5"), "--name", "Ada"]) == 0


_FETCHED = {
    "centerface": fetched_file(centerface.WEIGHTS_FILE) is not None,
    "mobilefacenet": fetched_file(PRESETS["mobilefacenet-ms1m"].fetched_as) is not None,
}

SCENES = {
    "README": Scene(
        before=(_albums, _folders_of_people, _ada),
        by_hand={"train faces.h5 --names": _names_in_the_list},
        check=_who_was_found,
    ),
    "camera": Scene(
        before=(
            _folders_of_people,
            _TABLE,
            _HEAD,
            lambda folder, data: copy_small(
                photos_of(data, "rose_leslie")[0], folder / "unknown" / "PICTURE.jpg", largest=900
            ),
        ),
    ),
    "detectors": Scene(before=(_folders_of_people,), needs={"centerface": _FETCHED["centerface"]}),
    "heads": Scene(
        before=(_folders_of_people, _ada, _ada_twice, _TABLE, _HEAD, _the_page_module),
        words={"PHOTO": "ada1.jpg", "OTHER_PHOTO": "stranger.jpg"},
        by_hand={"train": _who_is_forgotten},
        exit_codes={"audit": 3},
    ),
    "measuring": Scene(before=(_pairs, _tables_of_two_networks, _crowd)),
    "people": Scene(
        before=(_albums, _party, lambda folder, data: shutil.copy("party.jpg", "photo.jpg")),
        check=_who_was_found,
    ),
    "presets": Scene(
        before=(_folders_of_people, _party, _foreign_network),
        more={"train": ["--threshold", "0.6"]},
        needs=_FETCHED,
    ),
    "privacy": Scene(before=(_remembered,), exit_codes={"audit": 3}, check=_nobody_holds_ada),
    "scaling": Scene(before=(_folders_of_people,), words={"PHOTOS": "photos"}),
    "vector_stores": Scene(before=(_albums, _WORKSPACE)),
}
