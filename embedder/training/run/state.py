"""The whole state of a run as named arrays: what a checkpoint holds."""

from typing import Any

import numpy as np

from embedder.training.model.network import TrainingNetwork
from embedder.training.run.folder import RunFolderError


def _variables(network: TrainingNetwork, optimizer: Any) -> dict[str, Any]:
    named: dict[str, Any] = {
        f"network/{layer.name}/{variable.name}": variable.value
        for layer in network.model.layers
        for variable in layer.weights
    }
    named |= {f"classifier/{i}": variable for i, variable in enumerate(network.classifier)}
    if network.centers is not None:
        named["centers"] = network.centers
    # The learning rate is set before every step.
    named |= {f"optimizer/{i}": variable.value for i, variable in enumerate(optimizer.variables)}
    return named


def read_state(network: TrainingNetwork, optimizer: Any) -> dict[str, np.ndarray]:
    """Return copies of all variables that training changes, by name."""
    return {name: np.array(variable.numpy()) for name, variable in _variables(network, optimizer).items()}


def write_state(network: TrainingNetwork, optimizer: Any, arrays: dict[str, np.ndarray], *, source: str) -> None:
    """Give all variables the values of a checkpoint.

    Raises
    ------
    RunFolderError
        If the checkpoint is one of another network, optimizer or number of classes.
    """
    variables = _variables(network, optimizer)
    if variables.keys() != arrays.keys():
        odd = sorted(variables.keys() ^ arrays.keys())
        raise RunFolderError(
            f"{source}: expected {len(variables)} arrays, got {len(arrays)}, for example {odd[0]} does not "
            "match; the run was made with other settings: choose another -o"
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != arrays[name].shape:
            raise RunFolderError(
                f"{source}: expected {name} of shape {tuple(variable.shape)}, got {arrays[name].shape}; "
                "the run was made with other settings: choose another -o"
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])
