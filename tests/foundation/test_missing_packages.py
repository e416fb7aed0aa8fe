"""Failed imports, as the user sees them."""

import subprocess
import sys

import pytest

from foundation.installation import explain_import_error

NO_LIBGL = "libGL.so.1: cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ImportError(NO_LIBGL),
            "OpenCV needs the system library libGL.so.1, which is missing; install it with: "
            "apt-get install libgl1 libglib2.0-0",
        ),
        (
            ImportError("libgthread-2.0.so.0: cannot open shared object file: No such file"),
            "OpenCV needs the system library libgthread-2.0.so.0, which is missing; install it with: "
            "apt-get install libgl1 libglib2.0-0",
        ),
        (
            ImportError("libhdf5.so.310: cannot open shared object file: x", name="h5py"),
            "the system library libhdf5.so.310 is missing (h5py); install it with your system's package manager",
        ),
        (
            ModuleNotFoundError("No module named 'PIL.Image'", name="PIL.Image"),
            "the package `PIL` is not installed; run: pip install -r requirements.txt",
        ),
        (
            ImportError("cannot import name 'x'\nfrom 'y'"),
            "cannot import name 'x' from 'y'; a package is of another version than expected, run: "
            "pip install -r requirements.txt",
        ),
    ],
)
def test_each_kind_of_failure_names_the_remedy(error, text):
    assert explain_import_error(error) == text


def test_command_line_says_what_to_install_when_opencv_cannot_be_loaded(tmp_path):
    (tmp_path / "cv2.py").write_text(f"raise ImportError({NO_LIBGL!r})\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from embedder.commands.main import main; "
        f"sys.exit(main(['convert', {str(tmp_path)!r}, 'out']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "python -m embedder convert: error: OpenCV needs the system library libGL.so.1, which is "
        "missing; install it with: apt-get install libgl1 libglib2.0-0\n"
    )
