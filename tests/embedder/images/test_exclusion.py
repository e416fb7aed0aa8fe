"""What is left out of a folder on request: the same as git leaves out."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from embedder.images.exclusion import IGNORE_FILE
from embedder.images.listing import list_images, list_inputs
from foundation.errors import InputError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xd8\xff")


def listed(root, **options):
    return [photo.name for photo in list_images(root, **options).photos]


NAMES = [
    *("1.jpg", "2.png", "keep.png", "Private/1.jpg", "Private/deep/2.jpg", "a/Private/3.jpg", "a/1.jpg", "a/b/1.jpg"),
    *("a/b/c/keep.png", "a/b/2.png", "2019/1.jpg", "a/2019/1.jpg", "tmp 1.jpg", "#x/1.jpg", "[y]/1.jpg", "!z.jpg"),
    *("Zo\u00eb/1.jpg", "a/raw.jpg/1.jpg", "raw.jpg"),
]


@pytest.mark.parametrize(
    "files",
    [
        {"": "*.png\n!keep.png\n"},
        {"": "Private/\n# a note\n\n/2019\n"},
        {"": "a/*\n!a/b/\n"},
        {"": "a/\n!a/b/1.jpg\n"},  # nothing is taken back below a folder that is left out
        {"": "*.png\n", "a/b": "!2.png\n"},
        {"": "!2.png\n", "a": "*.png\nPrivate\n", "a/b": "/1.jpg\n"},
        {"": "**/2019\na/**/1.jpg\n"},
        {"": "\\#x\n\\!z.jpg\n\\[y\\]\ntmp?1.jpg   \n"},
        {"": "raw.jpg/\n"},
        {"": "Zo\u00eb\r\n", "a": "*\r\n!b/\r\n"},
        {"": "[a-c]\n"},
    ],
)
def test_the_same_is_left_out_as_by_git(tmp_path, files):
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is the reference; apt-get install git")
    photos = tmp_path / "photos"
    touch(photos, *NAMES)
    for folder, text in files.items():
        for name in (IGNORE_FILE, ".gitignore"):
            (photos / folder / name).write_text(text, newline="")
    text = subprocess.run([git, "init", "-q", "."], cwd=photos, check=True, capture_output=True)
    text = subprocess.run(
        [git, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"],
        cwd=photos,
        check=True,
        capture_output=True,
        text=True,
    )
    expected = {name for name in text.stdout.split("\0") if name.endswith((".jpg", ".png"))}
    assert set(listed(photos)) == expected
    assert expected < set(NAMES)


TREE = [
    *("2023/k.jpg", "2023/Private/secret.jpg", "2023/Private/sub/d_0002.jpg", "2024/o.jpg", "top.jpg"),
    *("Private/p.jpg", "Private/sub/q.jpg", "k.jpg/i.jpg"),
]


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        ("* !*/ !2023/** 2023/Private/", ["2023/k.jpg"]),
        ("*/ !/2023/", ["2023/k.jpg", "top.jpg"]),
        ("Private/ !/*", [*TREE[:1], *TREE[3:]]),
        ("2023/*/ !/*/", [*TREE[:1], *TREE[3:]]),
        ("* !*/ !*.jpg Private/", ["2023/k.jpg", "2024/o.jpg", "k.jpg/i.jpg", "top.jpg"]),
        ("2023/** !*.jpg", ["2023/k.jpg", *TREE[3:]]),
        ("* !*/ !*_0002.jpg", ["2023/Private/sub/d_0002.jpg"]),
        ("* !Private/ !Private/sub/ !Private/sub/*.jpg", ["Private/sub/q.jpg"]),
        ("2023/**/", ["2023/k.jpg", *TREE[3:]]),  # the folders in it, not itself
        ("*/ !/", ["top.jpg"]),  # a slash alone names nothing
        ("k.jpg !k.jpg/", [*TREE[1:]]),
    ],
)
def test_each_folder_and_file_is_judged_by_itself(tmp_path, patterns, kept):
    touch(tmp_path / "by file", *TREE)
    (tmp_path / "by file" / IGNORE_FILE).write_text("\n".join(patterns.split()))
    assert listed(tmp_path / "by file") == sorted(kept, key=Path)
    touch(tmp_path / "given", *TREE)
    assert listed(tmp_path / "given", exclude=patterns.split()) == sorted(kept, key=Path)


def some_pattern(choice):
    names = ["*", "**", "2023", "20??", "Private", "sub", "*.jpg", "k.jpg", "*_0002.jpg", "[pP]*"]
    name = "/".join(choice(names) for _ in range(choice([1, 1, 2, 3])))
    begin, end = choice(["", "", "/", "**/"]), choice(["", "", "/", "/", "/**", "/**/", "/*"])
    return choice(["", "", "!"]) + begin + name + end


def test_any_patterns_leave_out_the_same_as_by_git(tmp_path):
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is the reference; apt-get install git")
    choice = random.Random(7).choice
    cases = [
        choice([[], [], ["*", "!*/"]]) + [some_pattern(choice) for _ in range(choice([1, 2, 3, 4]))] for _ in range(200)
    ]
    for number, patterns in enumerate(cases):
        touch(tmp_path / f"{number}", *TREE)
        for name in (IGNORE_FILE, ".gitignore"):
            (tmp_path / f"{number}" / name).write_text("\n".join(patterns))
    subprocess.run([git, "init", "-q", "."], cwd=tmp_path, check=True, capture_output=True)
    ask = [git, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    told = subprocess.run(ask, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split("\0")
    kept = {name for name in told if name.endswith(".jpg")}
    assert len(cases) < len(kept) < 7 * len(cases)
    for number, patterns in enumerate(cases):
        expected = {name.partition("/")[2] for name in kept if name.startswith(f"{number}/")}
        assert set(listed(tmp_path / f"{number}")) == expected, patterns


def test_a_name_may_hold_a_line_break(tmp_path):
    touch(tmp_path, "a\nb/1.jpg", "a\nb/Private/2.jpg", "3.jpg")
    assert listed(tmp_path, exclude=["Private/", "1.jpg"]) == ["3.jpg"]


def test_given_patterns_decide_before_all_files(tmp_path):
    touch(tmp_path, *NAMES)
    (tmp_path / IGNORE_FILE).write_text("*.jpg\n")
    given = ["*.png", "!1.jpg", "a/", "Private", "\\[y\\]", "2019", "Zo\u00eb", "#x"]
    assert listed(tmp_path, exclude=given) == ["1.jpg"]


def test_what_is_left_out_is_counted_and_the_files_are_told(tmp_path):
    touch(tmp_path, "a/1.jpg", "a/2.png", "b/1.jpg", "b/x/2.jpg", "notes.png.txt")
    (tmp_path / IGNORE_FILE).write_text("# mine\n*.png\n")
    (tmp_path / "b" / IGNORE_FILE).write_text("x/\n")
    listing = list_images(tmp_path)
    assert (listing.n_excluded, listing.n_hidden, listing.n_other) == (2, 0, 1)
    assert listing.left_out == "0 hidden files, 1 that are no images, 2 excluded"
    assert listing.ignore_files == {".facetableignore": ["*.png"], "b/.facetableignore": ["x/"]}
    touch(tmp_path, "c/3.jpg", "c/4.png")
    (tmp_path / "c" / IGNORE_FILE).write_text("5.png\n")
    several = list_inputs([tmp_path / "a", tmp_path / "c"], exclude=["*.png"])
    assert ([photo.name for photo in several.photos], several.n_excluded) == (["1.jpg", "3.jpg"], 2)
    assert several.ignore_files == {f"{tmp_path}/c/.facetableignore": ["5.png"]}


def test_a_single_photo_that_is_named_is_never_left_out(tmp_path):
    touch(tmp_path, "a/1.jpg", "2.png")
    listing = list_inputs([tmp_path / "a", tmp_path / "2.png"], exclude=["*.png"])
    assert [photo.name for photo in listing.photos] == ["1.jpg", "2.png"]


def test_links_to_folders_are_left_out_by_the_rules_of_where_they_stand(tmp_path):
    touch(tmp_path / "elsewhere", "1.jpg", "2.png")
    touch(tmp_path / "photos", "a/3.jpg")
    (tmp_path / "photos" / "a" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos" / "loop")
    (tmp_path / "photos" / "a" / IGNORE_FILE).write_text("link/2.png\n")
    (tmp_path / "photos" / IGNORE_FILE).write_text("b/\nloop\n")
    assert listed(tmp_path / "photos") == ["a/3.jpg", "a/link/1.jpg"]


def test_composed_and_decomposed_letters_are_the_same(tmp_path):
    touch(tmp_path, "Zoe\u0308/1.jpg", "1.jpg")
    assert listed(tmp_path, exclude=["Zo\u00eb/"]) == ["1.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"*.png\n!\n", r"\.facetableignore, line 2: expected a pattern as in .gitignore, .* got '!'; mend or remove"),
        (b"*.png\n\n[z-a]\n", r"line 3: expected a pattern as in .gitignore, .* got '\[z-a\]'; mend or remove"),
        (b"P\0r\0i\0v\0", r"expected patterns in UTF-8 text, one a line, found other data"),
        (b"a" * (2 << 20), r"found more than 1,048,576 bytes; save it as UTF-8 text"),
    ],
)
def test_a_file_that_holds_no_patterns_is_refused(tmp_path, content, message):
    touch(tmp_path, "1.jpg")
    (tmp_path / IGNORE_FILE).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        list_images(tmp_path)
    assert str(tmp_path / IGNORE_FILE) in str(caught.value)


def test_a_given_pattern_that_is_none_is_refused(tmp_path):
    for pattern in ("a\\", "[z-a]"):
        with pytest.raises(InputError, match=r"`exclude`: expected a pattern as in .gitignore.* got ") as caught:
            list_images(tmp_path, exclude=["*.png", pattern])
        assert f"got {pattern!r}; mend or remove it" in str(caught.value)


def test_where_all_are_left_out_the_patterns_are_the_remedy(tmp_path):
    touch(tmp_path, "1.jpg")
    error = list_images(tmp_path, exclude=["**"]).no_photos("photos")
    assert str(error.strerror).endswith("1 excluded); check `exclude` and .facetableignore")


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "caf\udce9").mkdir()
    touch(tmp_path, "1.jpg", "caf\udce9/2.jpg")
    (tmp_path / IGNORE_FILE).write_bytes(b"\xef\xbb\xbfcaf\xe9/\n")
    assert listed(tmp_path) == ["1.jpg"]
    assert list_images(Path(tmp_path)).ignore_files == {".facetableignore": ["caf\\xe9/"]}
