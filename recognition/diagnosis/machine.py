"""What the machine is and has: system, threads, devices, cameras, fonts, free space."""

import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import foundation
from foundation.threads import DEVICE_VARIABLE, THREADS_VARIABLE, device_name, thread_count
from recognition.diagnosis.check import Findings

_GIB = 2**30
_LEAST_FREE = 0.25 * _GIB
"""Below this many bytes neither converted networks nor the parts of a table have room."""

_DEVICES = Path("/dev")

# A word of each script; names in scripts without a font are drawn as boxes.
_WORDS = {
    "Latin": "Ada",
    "Greek": "Ωραία",
    "Cyrillic": "Анна",
    "Arabic": "علي",
    "Hebrew": "דנה",
    "Devanagari": "आशा",
    "Chinese": "李明",
    "Japanese": "さくら",
    "Korean": "지민",
}


def check_system() -> Findings:
    """Return versions of Facetable, Python and the system, and the number of threads."""
    chosen = f", {THREADS_VARIABLE} set" if THREADS_VARIABLE in os.environ else ""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = platform.python_version()
    threads = thread_count()
    return Findings(
        [f"facetable {foundation.__version__}, Python {python}, {system}, threads {threads}{chosen}"],
        facts={"facetable": foundation.__version__, "python": python, "system": system, "threads": threads},
    )


def check_providers() -> Findings:
    """Return ONNX Runtime's providers, and which device was chosen."""
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    device = device_name()
    return Findings(
        [f"ONNX Runtime {version('onnxruntime')}: {', '.join(providers)}; {DEVICE_VARIABLE}: {device}"],
        facts={"providers": providers, "device": device},
    )


def check_cameras(devices: Path = _DEVICES) -> Findings:
    """Return the numbers of the cameras that Linux lists, and whether this user may open them."""
    if not sys.platform.startswith("linux"):
        return Findings(["not listed on this system; facetable recognize 0 tries the first"])
    names = sorted((path for path in devices.glob("video*") if path.name[5:].isdigit()), key=lambda p: int(p.name[5:]))
    cameras = {path.name[5:]: os.access(path, os.R_OK | os.W_OK) for path in names}
    found = Findings(facts={"cameras": cameras})
    closed = [number for number, may_open in cameras.items() if not may_open]
    found.lines.append(f"devices {', '.join(cameras)}" if cameras else "none on this machine; streams need none")
    if closed:
        found.lines.append(f"devices {', '.join(closed)} may not be opened; run: sudo usermod -aG video $USER")
    return found


def check_fonts() -> Findings:
    """Return the scripts in which names can be drawn on pictures."""
    from foundation.drawing.fonts import has_font

    scripts = {script: has_font(word) for script, word in _WORDS.items()}
    missing = [script for script, is_there in scripts.items() if not is_there]
    found = Findings([", ".join(script for script in scripts if scripts[script])], facts={"scripts": scripts})
    if missing:
        found.lines.append(f"names in {', '.join(missing)} show boxes; on Debian: apt-get install fonts-noto")
    return found


def check_space() -> Findings:
    """Return how much room there is for converted networks, temporary files and results."""
    from embedder.runtime.cache import cache_folder

    places = {"cache": cache_folder(), "temporary files": Path(tempfile.gettempdir()), "this folder": Path.cwd()}
    found = Findings()
    free = {name: shutil.disk_usage(_existing(path)).free for name, path in places.items()}
    found.lines.append(", ".join(f"{name} {size / _GIB:.1f} GiB free" for name, size in free.items()))
    found.facts["free_bytes"] = free
    for name, size in free.items():
        if size < _LEAST_FREE:
            found.problems.append(f"{name}: expected at least {_LEAST_FREE / _GIB:g} GiB free; free some space")
    return found


def _existing(path: Path) -> Path:
    """Return the nearest folder above `path` that is there."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())
