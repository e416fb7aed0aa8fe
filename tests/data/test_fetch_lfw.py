"""Fetching LFW: from a local HTTP server through scikit-learn's fetcher, and from local files."""

import hashlib
import http.server
import io
import tarfile
import threading
from functools import partial

import pytest
from PIL import Image
from sklearn.datasets import _lfw

from data.fetch_lfw import ARCHIVE, PAIRS, PHOTOS, Expected, LfwError, fetch_lfw, main

PAIRS_TEXT = "1\t1\nAda_Lovelace\t1\t2\nAda_Lovelace\t1\tBob_Hope\t1\n"
DEV_TEXT = "1\nAda_Lovelace\t1\t2\nAda_Lovelace\t1\tBob_Hope\t1\n"
NAMES = ("Ada_Lovelace/Ada_Lovelace_0001.jpg", "Ada_Lovelace/Ada_Lovelace_0002.jpg", "Bob_Hope/Bob_Hope_0001.jpg")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def add(packed, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    packed.addfile(member, io.BytesIO(content))


@pytest.fixture
def source(tmp_path):
    """Return a folder with what LFW's site has, for two people."""
    folder = tmp_path / "source"
    folder.mkdir()
    photo = io.BytesIO()
    Image.new("RGB", (250, 250), (90, 60, 30)).save(photo, "JPEG")
    with tarfile.open(folder / ARCHIVE, "w:gz") as packed:
        for name in NAMES:
            add(packed, f"{PHOTOS}/{name}", photo.getvalue())
    (folder / PAIRS).write_text(PAIRS_TEXT)
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt"):
        (folder / name).write_text(DEV_TEXT)
    return folder


@pytest.fixture
def expected(source):
    return Expected({name: sha256(source / name) for name in (ARCHIVE, PAIRS)}, n_photos=3)


@pytest.fixture
def site(source, monkeypatch):
    """Serve `source` over HTTP on this machine, in place of the site scikit-learn knows."""
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(source)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def here(remote):
        return remote._replace(
            url=f"http://127.0.0.1:{server.server_port}/{remote.filename}", checksum=sha256(source / remote.filename)
        )

    monkeypatch.setattr(_lfw, "FUNNELED_ARCHIVE", here(_lfw.FUNNELED_ARCHIVE))
    monkeypatch.setattr(_lfw, "TARGETS", tuple(here(target) for target in _lfw.TARGETS))
    yield requests
    server.shutdown()
    server.server_close()


def found(lfw):
    return sorted(path.relative_to(lfw.photos).as_posix() for path in lfw.photos.glob("*/*.jpg"))


def test_checksums_are_scikit_learns():
    known = {remote.filename: remote.checksum for remote in (_lfw.FUNNELED_ARCHIVE, *_lfw.TARGETS)}
    assert Expected().sha256 == {name: known[name] for name in (ARCHIVE, PAIRS)}


def test_downloads_once(tmp_path, site, expected):
    lfw = fetch_lfw(tmp_path / "lfw", expected=expected)
    assert found(lfw) == sorted(NAMES)
    assert lfw.pairs.read_text() == PAIRS_TEXT
    assert not (tmp_path / "lfw/lfw_home/joblib").exists()
    n_requests = len(site)
    assert n_requests == 4
    assert fetch_lfw(tmp_path / "lfw", expected=expected) == lfw
    assert len(site) == n_requests


@pytest.mark.parametrize("name", [ARCHIVE, PAIRS])
def test_a_download_with_another_checksum_is_refused(tmp_path, site, expected, source, monkeypatch, name):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    (source / name).write_bytes((source / name).read_bytes() + b" ")
    with pytest.raises(LfwError, match=r"could not download it .*--from FOLDER"):
        fetch_lfw(tmp_path / "lfw", expected=expected)
    assert not (tmp_path / "lfw/lfw_home" / PHOTOS).exists()


def test_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    closed = tuple(target._replace(url="http://127.0.0.1:9/x") for target in _lfw.TARGETS)
    monkeypatch.setattr(_lfw, "TARGETS", closed)
    with pytest.raises(LfwError, match="check the network connection"):
        fetch_lfw(tmp_path / "lfw")


def test_from_an_archive(tmp_path, source, expected):
    lfw = fetch_lfw(tmp_path / "lfw", source=source, expected=expected)
    assert found(lfw) == sorted(NAMES)
    assert sorted(path.name for path in (tmp_path / "lfw/lfw_home").iterdir()) == [PHOTOS, PAIRS]


def test_from_unpacked_photos(tmp_path, source, expected):
    with tarfile.open(source / ARCHIVE) as packed:
        packed.extractall(source, filter="data")
    (source / ARCHIVE).unlink()
    assert found(fetch_lfw(tmp_path / "lfw", source=source, expected=expected)) == sorted(NAMES)


def test_a_damaged_archive_and_missing_photos(tmp_path, source, expected):
    (source / ARCHIVE).write_bytes(b"no archive")
    with pytest.raises(LfwError, match="expected SHA-256"):
        fetch_lfw(tmp_path / "lfw", source=source, expected=expected)
    damaged = Expected({**expected.sha256, ARCHIVE: sha256(source / ARCHIVE)}, n_photos=3)
    with pytest.raises(LfwError, match="expected an archive of photos"):
        fetch_lfw(tmp_path / "lfw", source=source, expected=damaged)
    (source / ARCHIVE).unlink()
    with pytest.raises(LfwError, match=r"expected pairs.txt and lfw-funneled.tgz .* found not all"):
        fetch_lfw(tmp_path / "lfw", source=source, expected=expected)
    assert not (tmp_path / "lfw/lfw_home" / PHOTOS).exists()


def test_a_member_outside_of_the_folder_is_refused(tmp_path, source, expected):
    with tarfile.open(source / ARCHIVE, "w:gz") as packed:
        add(packed, "../../evil.jpg", b"x")
    evil = Expected({**expected.sha256, ARCHIVE: sha256(source / ARCHIVE)}, n_photos=3)
    with pytest.raises(LfwError, match="expected an archive of photos"):
        fetch_lfw(tmp_path / "lfw", source=source, expected=evil)
    assert not list(tmp_path.rglob("evil.jpg"))


def test_too_few_photos_are_seen(tmp_path, source, expected):
    lfw = fetch_lfw(tmp_path / "lfw", source=source, expected=expected)
    (lfw.photos / NAMES[0]).unlink()
    with pytest.raises(LfwError, match="expected 3 photos, found 2"):
        fetch_lfw(tmp_path / "lfw", expected=expected)


def test_the_script_says_what_is_wrong_in_one_line(tmp_path, source, capsys):
    assert main(["--to", str(tmp_path / "lfw"), "--from", str(source)]) == 2
    assert "pairs.txt: expected SHA-256" in capsys.readouterr().err
