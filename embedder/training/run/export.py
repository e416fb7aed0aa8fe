"""A run's network as a preset."""

from embedder.networks.presets import RUN_BUILDER, Preset, write_preset
from embedder.training.model.backbone import save
from embedder.training.model.network import TrainingNetwork
from embedder.training.run.folder import RunFolder
from foundation.atomic import atomic_path
from foundation.formats import hash_file

_LICENCE = "yours; as its training photos allow"


def export_run(folder: RunFolder, network: TrainingNetwork, *, figures: dict[str, float], step: int) -> None:
    """Write the network as it is into the run's folder, as the preset that ``--preset RUN`` takes.

    The weights file carries its step in its name, so that the preset never points at a half-replaced file.

    Parameters
    ----------
    folder : RunFolder
    network : TrainingNetwork
    figures : dict
        Verification figures of this network, empty when there are none.
    step : int
        Steps it was trained for.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    settings, path = network.settings, folder.path / f"weights-{step:09d}.safetensors"
    with atomic_path(path) as temporary:
        save(network.model, temporary, width=settings.width)
        sha256 = hash_file(temporary)
    threshold = figures.get("lfw_threshold", figures.get("validation_threshold"))
    measured = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
    write_preset(
        folder.path,
        Preset(
            name=folder.path.absolute().name,
            builder=RUN_BUILDER,
            weights_file=path.name,
            weights_sha256=sha256,
            input_size=settings.image_size,
            embedding_size=settings.embedding_size,
            standardization=settings.standardization,
            verification_threshold=threshold,
            accuracy=f"in training, after step {step}: {measured}" if measured else "not measured",
            licence=_LICENCE,
        ),
    )
    for old in folder.path.glob("weights-*.safetensors"):
        if old != path:
            old.unlink()
