"""Which faces each step sees: a pure function of seed and step, so that a run can go on anywhere."""

import numpy as np

from foundation.errors import InputError


class PermutedBatches:
    """Batches out of one random permutation of all faces after another; every face comes equally often."""

    def __init__(self, n_faces: int, *, batch_size: int, seed: int) -> None:
        self._n_faces = n_faces
        self._batch_size = batch_size
        self._seed = seed
        self._permutations: dict[int, np.ndarray] = {}

    def indices(self, step: int) -> np.ndarray:
        """Return the faces, int64 (batch_size,), of a step of the run, which count from 0."""
        positions = np.arange(step * self._batch_size, (step + 1) * self._batch_size)
        rounds, offsets = np.divmod(positions, self._n_faces)
        return np.array(
            [self._permutation(int(i))[offset] for i, offset in zip(rounds, offsets, strict=True)], np.int64
        )

    def _permutation(self, number: int) -> np.ndarray:
        if number not in self._permutations:
            for old in [key for key in self._permutations if key < number - 1]:
                del self._permutations[old]
            self._permutations[number] = np.random.default_rng([self._seed, 2, number]).permutation(self._n_faces)
        return self._permutations[number]


class PeopleBatches:
    """Batches of P people with K faces each, which the triplet loss needs (Schroff et al., CVPR 2015, section 3.2)."""

    def __init__(self, labels: np.ndarray, *, batch_size: int, images_per_person: int, seed: int) -> None:
        self._n_people = batch_size // images_per_person
        self._images_per_person = images_per_person
        self._seed = seed
        order = np.argsort(labels, kind="stable")
        starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
        self._faces_of_person = np.split(order, starts[1:])
        if len(self._faces_of_person) < self._n_people:
            raise InputError(
                f"`batch_size` {batch_size} needs {self._n_people} people with `images_per_person` "
                f"{images_per_person}, the folder has {len(self._faces_of_person)}; lower --batch-size"
            )

    def indices(self, step: int) -> np.ndarray:
        """Return the faces, int64 (batch_size,), of a step; a person with fewer than K faces repeats some."""
        generator = np.random.default_rng([self._seed, 3, step])
        people = generator.choice(len(self._faces_of_person), self._n_people, replace=False)
        chosen = []
        for person in people:
            faces = self._faces_of_person[person]
            chosen.append(
                generator.choice(faces, self._images_per_person, replace=len(faces) < self._images_per_person)
            )
        return np.concatenate(chosen)


Batches = PermutedBatches | PeopleBatches


def epoch_length(n_faces: int, *, batch_size: int, epoch_size: int) -> int:
    """Return the steps of an epoch: `epoch_size`, or where it is 0 as many as one pass over the faces takes.

    >>> epoch_length(100, batch_size=30, epoch_size=0)
    4
    """
    return epoch_size if epoch_size > 0 else -(-n_faces // batch_size)
