"""A training run from settings to a preset: folder, checkpoints, steps, evaluation, export.

In: `TrainingSettings` and a folder of faces.
Out: a run folder that can be gone on with and used as a preset.
May import: foundation, embedder.networks, embedder.verification, embedder.training, embedder.training.data,
    embedder.training.model.
"""
