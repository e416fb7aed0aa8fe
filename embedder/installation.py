"""What is missing when an import fails, and how to get it."""

import re

_MISSING_LIBRARY = re.compile(r"(?P<library>lib[\w.+-]+\.so[\w.]*): cannot open shared object file")

_OPENCV_LIBRARIES = ("libGL", "libgthread", "libglib")
"""What `opencv-python` takes from the system; slim images of Debian and Ubuntu come without."""


def explain_import_error(error: ImportError) -> str:
    """Return one line that says what to install.

    >>> explain_import_error(ImportError("libGL.so.1: cannot open shared object file: No such file or directory"))
    'OpenCV needs the system library libGL.so.1, which is missing; install it with: apt-get install libgl1 libglib2.0-0'
    >>> explain_import_error(ModuleNotFoundError("No module named 'h5py'", name="h5py"))
    'the package `h5py` is not installed; run: pip install -r requirements.txt'
    """
    match = _MISSING_LIBRARY.search(str(error))
    if match is not None and match["library"].startswith(_OPENCV_LIBRARIES):
        return (
            f"OpenCV needs the system library {match['library']}, which is missing; install it with: "
            "apt-get install libgl1 libglib2.0-0"
        )
    if match is not None:
        return (
            f"the system library {match['library']} is missing ({error.name or 'needed by an installed package'}); "
            "install it with your system's package manager"
        )
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return f"the package `{error.name.partition('.')[0]}` is not installed; run: pip install -r requirements.txt"
    what = " ".join(str(error).split())
    return f"{what}; a package is of another version than expected, run: pip install -r requirements.txt"
