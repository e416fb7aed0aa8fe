"""Distribution strategy of a run: replicas and workers, and which worker writes."""

import functools
import json
import os
from dataclasses import dataclass

import tensorflow as tf

from foundation.errors import InputError

CLUSTER_VARIABLE = "TF_CONFIG"


@dataclass(frozen=True)
class Distribution:
    """The strategy of a run, and which of its workers this process is.

    Attributes
    ----------
    strategy : tf.distribute.Strategy
    worker_index : int
        Of this process, from 0.
    n_workers : int
        Processes that train together.
    """

    strategy: tf.distribute.Strategy
    worker_index: int
    n_workers: int

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the run's files."""
        return self.worker_index == 0

    @property
    def n_replicas(self) -> int:
        """Replicas of all workers together."""
        return int(self.strategy.num_replicas_in_sync)

    def replica_batch_size(self, batch_size: int) -> int:
        """Return the rows of a global batch that each replica gets.

        Raises
        ------
        ValueError
            If `batch_size` is no multiple of the number of replicas.
        """
        if batch_size % self.n_replicas:
            raise InputError(f"`batch_size` must be a multiple of the {self.n_replicas} replicas, got {batch_size}")
        return batch_size // self.n_replicas


@functools.cache
def make_distribution(name: str) -> Distribution:
    """Return the distribution of a strategy by name; call it before TensorFlow computes anything.

    A process has one of each kind: TensorFlow confuses the all-reduces of two strategies over the same devices.

    Parameters
    ----------
    name : str
        ``single``; ``mirrored``: all GPUs of this machine, or its logical CPU devices; ``multi-worker``: the workers
        that the environment variable ``TF_CONFIG`` lists.

    Raises
    ------
    ValueError
        If `name` is ``multi-worker`` and ``TF_CONFIG`` names no cluster with this worker in it.
    """
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Distribution(tf.distribute.MirroredStrategy([device.name for device in devices]), 0, 1)
    if name == "multi-worker":
        worker_index, n_workers = read_cluster()
        return Distribution(tf.distribute.MultiWorkerMirroredStrategy(), worker_index, n_workers)
    return Distribution(tf.distribute.get_strategy(), 0, 1)


def read_cluster() -> tuple[int, int]:
    """Return this worker's number and how many there are, from ``TF_CONFIG``.

    Raises
    ------
    ValueError
        If the variable is missing or is not a cluster of workers with a task.
    """
    text = os.environ.get(CLUSTER_VARIABLE)
    example = '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'
    try:
        config = json.loads(text) if text is not None else {}
        workers, index = config["cluster"]["worker"], config["task"]["index"]
        fits = (
            config["task"]["type"] == "worker" and list(config["cluster"]) == ["worker"] and 0 <= index < len(workers)
        )
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise InputError(
            f"`strategy` multi-worker needs the environment variable {CLUSTER_VARIABLE}: "
            f"expected {example}, got {text!r}"
        )
    return int(index), len(workers)
