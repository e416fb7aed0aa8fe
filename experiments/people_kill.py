"""Kill edits, imports and scans of a workspace at random moments: what was decided must be there, and whole.

A process of its own decides, imports or scans and tells on its standard output what it begins and what has returned. It
is killed (SIGKILL) at a random moment. Then the store must be sound, hold every decision that had returned just as it
was, and of the one that had not returned all or nothing; a table, where there is one, must be whole.

    python -m experiments.people_kill [--rounds 200] [--seed 0]
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from foundation.errors import FacetableError
from foundation.formats import hash_file
from people.store.records import Face
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace

N_PHOTOS = 12
_SIDE = 96
_NAMES = [f"Person {number}" for number in range(8)]
_SECONDS = {"edits": 0.6, "import": 0.15, "scan": 2.5}
"""Until when a kill comes at the latest, after the process is ready."""

_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList>'
    '<rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="{x}" '
    'stArea:y="{y}" stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag>'
    "</mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"
)


Decisions = dict[int, tuple[str, int]]
"""Kind and number of faces of each decision."""


def make_workspace(folder: Path) -> Workspace:
    """Return a workspace of small photos of noise, whose table has no face; faces are drawn and imported."""
    photos = folder / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0)
    for number in range(N_PHOTOS):
        pixels = noise.integers(0, 256, (_SIDE, _SIDE, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(photos / f"{number}.png")
    workspace = create_workspace(folder / "family", [photos])
    files = [
        ScannedFile(f"{number}.png", hash_file(photos / f"{number}.png"), _SIDE, _SIDE) for number in range(N_PHOTOS)
    ]
    nothing = np.empty(0, np.int64)
    with PeopleStore(workspace.store, create=True) as store:
        store.record_table(files, nothing, face_indices=nothing, places=np.empty((0, 5)))
    return workspace


def work(kind: str, workspace: Workspace, seed: int) -> None:
    """Decide, import or scan, and tell what begins and what has returned."""
    if kind == "scan":
        from people.workspace.scan import scan

        _say("ready")
        scan(workspace)
        _say("scanned")
        return
    from people.sidecars.importing import import_names

    with PeopleStore(workspace.store, by="study") as store:
        _say("ready")
        if kind == "import":
            import_names(workspace, store)
            for number in store.made:
                decision = store.decision(number)
                _say("done", number, decision.kind, decision.n_faces)
            return
        chance = random.Random(seed)
        while True:
            _edit(store, chance)


def _edit(store: PeopleStore, chance: random.Random) -> None:
    faces = [random_face(store, chance) for _ in range(chance.randint(2, 6))]
    people = [person.number for person in store.people()]
    kinds = ["is", "is", "nobody", "not_a_face", "same", "undo", "redo"] + (
        ["merge", "is_not"] if len(people) > 1 else []
    )
    kind = chance.choice(kinds)
    n_faces = 0 if kind in ("undo", "redo", "merge") else len(set(faces))
    _say("begin", "undo" if kind == "redo" else kind, n_faces)
    try:
        decision = {
            "is": lambda: store.name(faces, chance.choice(_NAMES)),
            "nobody": lambda: store.mark_nobody(faces),
            "not_a_face": lambda: store.mark_not_a_face(faces),
            "same": lambda: store.join(faces),
            "undo": lambda: store.undo(),
            "redo": lambda: store.redo(),
            "merge": lambda: store.merge(*chance.sample(people, 2)),
            "is_not": lambda: store.deny(faces, people[0]),
        }[kind]()
    except FacetableError:  # nothing to undo, or two people of one name: nothing is decided
        return
    _say("done", decision.number, decision.kind, decision.n_faces)


def random_face(store: PeopleStore, chance: random.Random) -> Face:
    """Return a place on a photo of the workspace."""
    # On a grid, so that equal places are one face and no others overlap.
    x, y = chance.randrange(8) / 8, chance.randrange(8) / 8
    return Face(chance.choice(store.files()).sha256, (x, y, x + 0.125, y + 0.125))


def _say(*words: Any) -> None:
    print(json.dumps(words), flush=True)


def kill_once(workspace: Workspace, kind: str, chance: random.Random, kept: Decisions) -> str:
    """Kill one process; check the workspace, and add to `kept` the decisions that had returned.

    Returns
    -------
    str
        What was found wrong, "" for nothing.
    """
    expected = _draw_regions(workspace, chance) if kind == "import" else Counter()
    command = [sys.executable, "-m", "experiments.people_kill", "--work", kind, "--workspace", str(workspace.folder)]
    command += ["--seed", str(chance.randrange(1 << 30))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    process.stdout.readline()  # it is ready
    time.sleep(chance.uniform(0, _SECONDS[kind]))
    process.kill()
    told = [json.loads(line) for line in process.stdout if line.endswith("]\n")]
    process.wait()
    return check_workspace(workspace, told, kept, expected)


def check_workspace(workspace: Workspace, told: list[list[Any]], kept: Decisions, expected: Counter[str]) -> str:
    """Return what is wrong with a workspace whose process was killed, "" for nothing.

    Parameters
    ----------
    workspace : Workspace
    told : list of list
        What the process has told.
    kept : dict
        The decisions that had returned before; those that are there now are added.
    expected : collections.Counter
        How many faces of each name an import would have named.
    """
    kept.update({words[1]: (words[2], words[3]) for words in told if words[0] == "done"})
    with PeopleStore(workspace.store) as store:
        store.check()
        there = {one.number: one for one in store.history(limit=1_000_000)}
        for number, (kind, n_faces) in kept.items():
            if number not in there:
                return f"decision {number} had returned and is lost"
            if (there[number].kind, there[number].n_faces) != (kind, n_faces):
                return f"decision {number} was {kind} of {n_faces} faces, and is another"
        for number in sorted(there.keys() - kept.keys()):
            one = there[number]
            if expected:
                whole = one.person is not None and one.n_faces == expected[store.first_name(one.person)]
            else:
                whole = ["begin", one.kind, one.n_faces] == told[-1]
            if not whole:
                return f"decision {number}, {one.kind} of {one.n_faces} faces, is half done"
            kept[number] = (one.kind, one.n_faces)
    if workspace.table.exists():
        from embedder.tables.table import EmbeddingTable

        EmbeddingTable.read(workspace.table)
    return ""


def _draw_regions(workspace: Workspace, chance: random.Random) -> Counter[str]:
    """Let another program name a new face on each photo; return how many faces of each name an import will name."""
    from people.sidecars.importing import import_names

    new = chance.randrange(1 << 30)
    for number in range(N_PHOTOS):
        x, y = round(chance.uniform(0.1, 0.9), 4), round(chance.uniform(0.1, 0.9), 4)
        sidecar = Path(workspace.settings.photos[0]) / f"{number}.png.xmp"
        sidecar.write_text(_XMP.format(name=f"Import {new}-{number % 3}", x=x, y=y))
    with PeopleStore(workspace.store) as store:
        return import_names(workspace, store, is_trial=True).names


def run(n_rounds: int, seed: int, kinds: tuple[str, ...] = ("edits", "edits", "import", "scan")) -> list[str]:
    """Kill `n_rounds` processes, print what was met, and return what was wrong."""
    chance = random.Random(seed)
    kept: Decisions = {}
    wrong, met = list[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder))
        for number in range(n_rounds):
            kind = kinds[number % len(kinds)]
            met[kind] += 1
            problem = kill_once(workspace, kind, chance, kept)
            if problem:
                wrong.append(f"round {number} ({kind}): {problem}")
    print(f"{n_rounds} kills ({dict(met)}), {len(kept):,} decisions, {len(wrong)} wrong")
    return wrong


def main() -> int:
    """Run the study, or be the process that is killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", choices=sorted(_SECONDS), help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work, Workspace(arguments.workspace), arguments.seed)
        return 0
    wrong = run(arguments.rounds, arguments.seed)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
