"""The network in training: frozen layers, trained layers, dropout, and the classes it learns to tell apart."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from embedder.errors import WeightsError
from embedder.training.model.backbone import inception_resnet_v1
from embedder.training.model.checkpoints import Checkpoint
from embedder.training.settings import TrainingSettings

_INPUT_OF_STAGE = {
    "stem": "images",
    "block35": "Conv2d_4b_3x3_Activation",
    "mixed_6a": "Block35_5_Activation",
    "block17": "Mixed_6a",
    "mixed_7a": "Block17_10_Activation",
    "block8": "Mixed_7a",
    "block8_6": "Block8_5_Activation",
    "bottleneck": "AvgPool",
}
"""Layer whose output each stage starts from; "images" is the input."""


class TrainingNetwork:
    """Inception-ResNet-v1 cut where training begins, and one row of class weights and one center for each identity.

    Parameters
    ----------
    settings : TrainingSettings
    n_classes : int
        Identities to tell apart; 0 with the triplet loss.
    synchronized : bool
        Whether batch norm takes its statistics over all replicas, as if the batch were in one.

    Attributes
    ----------
    model : keras.Model
        Standardized images (n, s, s, 3) to prelogits (n, d), which are not normalized.
    frozen : keras.Model or None
        Images to the input of the trained layers; None when all layers are trained.
    classifier : list of tf.Variable
        Kernel (d, n_classes) and, with softmax, bias (n_classes,); empty with the triplet loss.
    centers : tf.Variable or None
        float32 (n_classes, d); None where the center loss is off.
    """

    def __init__(self, settings: TrainingSettings, *, n_classes: int, synchronized: bool = False) -> None:
        self.settings = settings
        self.model = self._build(settings)
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = synchronized
        first = _INPUT_OF_STAGE[settings.train_from]
        start = self.model.input if first == "images" else self.model.get_layer(first).output
        pooled = self.model.get_layer("AvgPool").output
        self.frozen = None if first == "images" else keras.Model(self.model.input, start, name="frozen")
        self._trained = None if first == "AvgPool" else keras.Model(start, pooled, name="trained")
        self._bottleneck = self.model.get_layer("Bottleneck")
        self._bottleneck_norm = self.model.get_layer("Bottleneck_BatchNorm")
        if self.frozen is not None:
            for layer in self.frozen.layers:
                layer.trainable = False
        self.classifier = self._build_classifier(n_classes)
        self.centers = self._build_centers(n_classes)

    def prelogits(self, inputs: Any, sample_indices: Any, *, training: bool) -> Any:
        """Return prelogits (n, d) as float32.

        Parameters
        ----------
        inputs : tensor
            Standardized images, or the features that the trained layers start from (see `input_shape`).
        sample_indices : int64 tensor (n,)
            Of the samples in the run, consecutive; with the seed they decide the dropout, and nothing else does.
        training : bool
            Whether dropout is on and batch norm uses the batch's own statistics.
        """
        if self.frozen is not None and not self.settings.cache_features:
            inputs = self.frozen(inputs, training=False)
        norm_training = training and not self.settings.freeze_batch_norm
        pooled = inputs if self._trained is None else self._trained(inputs, training=norm_training)
        if training and self.settings.keep_probability < 1:
            pooled = self._dropout(pooled, sample_indices)
        return tf.cast(self._bottleneck_norm(self._bottleneck(pooled), training=norm_training), tf.float32)

    def prelogits_of_images(self, images: Any) -> Any:
        """Return prelogits (n, d) of standardized images as the finished network computes them."""
        return tf.cast(self.model(images, training=False), tf.float32)

    @property
    def trainable_variables(self) -> list[Any]:
        """Variables that gradients go to: the trained layers', then the classes'."""
        return [variable.value for variable in self.model.trainable_variables] + self.classifier

    @property
    def decayed(self) -> list[bool]:
        """Which of the trainable variables weight decay pulls to zero: kernels, never biases or batch norm."""
        kernels = [variable.name == "kernel" for variable in self.model.trainable_variables]
        return kernels + [i == 0 for i in range(len(self.classifier))]

    def describe_start(self, source: str | None) -> str:
        """Return one line that says which layers carry loaded weights, which random ones, and which are trained."""
        trained = sum(int(np.prod(variable.shape)) for variable in self.model.trainable_variables)
        loaded = f"all network weights from {source}" if source else "no weights loaded, all random"
        classes = "at the classes' means" if self.settings.class_start == "means" else "random"
        norm = "batch norm frozen" if self.settings.freeze_batch_norm else "batch norm trained"
        return (
            f"{loaded}; class weights {classes}; trained from {self.settings.train_from} on: {trained:,} of "
            f"{self.model.count_params():,} network weights; {norm}"
        )

    def _dropout(self, features: Any, sample_indices: Any) -> Any:
        """Return `features` (n, d), some entries zero, the others scaled to the same mean.

        The mask is drawn for the whole global batch, and a replica takes its rows of it: the same numbers however the
        batch is spread, and after a resume.
        """
        keep, batch_size = self.settings.keep_probability, self.settings.batch_size
        first = sample_indices[0] % batch_size
        seed = tf.stack([tf.constant(self.settings.seed, tf.int64) - 2**62, sample_indices[0] // batch_size])
        draws = tf.random.stateless_uniform((batch_size, features.shape[1]), seed)
        draws = draws[first : first + tf.shape(features, tf.int64)[0]]
        return tf.where(draws < keep, features / keep, tf.zeros_like(features))

    @staticmethod
    def _build(settings: TrainingSettings) -> keras.Model:
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(settings.precision)
        try:
            return inception_resnet_v1(
                embedding_size=settings.embedding_size,
                width=settings.width,
                input_size=settings.image_size,
                batch_norm_momentum=settings.batch_norm_momentum,
                normalize=False,
            )
        finally:
            keras.config.set_dtype_policy(policy)

    def _build_classifier(self, n_classes: int) -> list[tf.Variable]:
        if self.settings.loss == "triplet":
            return []
        shape = (self.settings.embedding_size, n_classes)
        limit = np.sqrt(6 / sum(shape))  # Glorot & Bengio, AISTATS 2010, equation 16
        kernel = tf.random.stateless_uniform(shape, (self.settings.seed % 2**31, -1), -limit, limit)
        variables = [tf.Variable(kernel, name="class_kernel")]
        if self.settings.loss == "softmax":
            variables.append(tf.Variable(tf.zeros((n_classes,)), name="class_bias"))
        return variables

    def _build_centers(self, n_classes: int) -> tf.Variable | None:
        if self.settings.center_factor == 0:
            return None
        return tf.Variable(
            tf.zeros((n_classes, self.settings.embedding_size)),
            trainable=False,
            name="centers",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )


def load_pretrained(network: TrainingNetwork, checkpoint: Checkpoint) -> str:
    """Copy the weights of a checkpoint into all layers of `network`; return one line that says what was not used.

    Raises
    ------
    WeightsError
        If a layer has no weights in it, or weights of another shape or that are not finite.
    """
    arrays = dict(checkpoint.arrays)
    for layer in network.model.layers:
        for variable in layer.weights:
            key, shape = f"{layer.name}/{variable.name}", tuple(variable.shape)
            found = arrays.pop(key, None)
            if found is None or found.shape != shape:
                raise WeightsError(
                    f"{checkpoint.name}: expected {key} of shape {shape}, got "
                    f"{'nothing' if found is None else found.shape}; it is another network, or one of another "
                    "--embedding-size or --width"
                )
            if not np.isfinite(found).all():
                raise WeightsError(
                    f"{checkpoint.name}: {key} holds values that are not finite; take another checkpoint"
                )
            variable.assign(found)
    unused = [*sorted(arrays), *checkpoint.unused]
    return f"not used: {len(unused)} other variables, for example {unused[0]}" if unused else "nothing left over"
