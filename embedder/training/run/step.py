"""One training step, the same for one process, several replicas and several machines.

`strategy.run` calls it in each replica with a part of the global batch. Gradients and center differences are added up
over the replicas explicitly, so that every number is the one a single process computes on the whole batch.
"""

from typing import Any

import tensorflow as tf

from embedder.training.model import losses
from embedder.training.model.centers import center_steps, sample_weights
from embedder.training.model.network import TrainingNetwork
from embedder.training.model.optimizers import innermost
from embedder.training.settings import TrainingSettings

METRICS = (
    "loss",
    "classification_loss",
    "center_loss",
    "prelogits_norm",
    "weight_penalty",
    "accuracy",
    "center_distance",
    "gradient_norm",
)
"""What a step reports, in this order."""


class TrainingStep:
    """Forward, backward, update, on every replica of a strategy.

    Parameters
    ----------
    network : TrainingNetwork
    optimizer : keras.optimizers.Optimizer
        Built by `build_optimizer`.
    strategy : tf.distribute.Strategy
    """

    def __init__(self, network: TrainingNetwork, optimizer: Any, strategy: tf.distribute.Strategy) -> None:
        self._network = network
        self._optimizer = optimizer
        self._strategy = strategy
        self._settings: TrainingSettings = network.settings
        self._variables = network.trainable_variables
        # AdamW decays by itself.
        decay = 0.0 if self._settings.optimizer == "adamw" else self._settings.weight_decay
        self._decays = [decay if decayed else 0.0 for decayed in network.decayed]
        if self._settings.optimizer == "adamw":
            innermost(optimizer).exclude_from_weight_decay(
                [variable for variable, decayed in zip(self._variables, network.decayed, strict=True) if not decayed]
            )
        optimizer.build(self._variables)
        self._run = tf.function(self._run_replicas, autograph=False)

    def __call__(self, batch: Any, rate: float) -> dict[str, float]:
        """Train on one global batch and return its metrics, computed before the update.

        Parameters
        ----------
        batch : (inputs, labels, sample_indices)
            One element of the strategy's distributed dataset.
        rate : float
            Learning rate of this step.
        """
        innermost(self._optimizer).learning_rate.assign(rate)
        values = self._run(batch)
        return dict(zip(METRICS, values.numpy().tolist(), strict=True))

    def _run_replicas(self, batch: Any) -> tf.Tensor:
        values = self._strategy.run(self._replica_step, args=batch)
        return self._strategy.experimental_local_results(values)[0]

    def _replica_step(self, inputs: tf.Tensor, labels: tf.Tensor, sample_indices: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        n_samples = tf.cast(self._settings.batch_size, tf.float32)
        every_label = _gathered(context, labels)
        with tf.GradientTape() as tape:
            prelogits = self._network.prelogits(inputs, sample_indices, training=True)
            terms = self._loss_terms(context, prelogits, labels, every_label)
            # The sum over replicas of this is the loss of the global batch.
            local_loss = tf.add_n([factor * term for factor, term in terms.values()]) / n_samples
            scaled = self._optimizer.scale_loss(local_loss)
        gradients = tape.gradient(scaled, self._variables)
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        scale = self._optimizer.scale_loss(tf.constant(1.0))
        gradients = [
            gradient + scale * decay * variable if decay > 0 else gradient
            for gradient, decay, variable in zip(gradients, self._decays, self._variables, strict=True)
        ]
        penalty = self._weight_penalty()
        center_distance = self._move_centers(context, prelogits, labels, every_label)
        self._optimizer.apply(gradients, self._variables)
        local = [local_loss, *(term / n_samples for _, term in terms.values()), center_distance]
        loss, classification, center, norm, accuracy, distance = context.all_reduce(tf.distribute.ReduceOp.SUM, local)
        gradient_norm = tf.linalg.global_norm(gradients) / scale
        return tf.stack([loss + penalty, classification, center, norm, penalty, accuracy, distance, gradient_norm])

    def _weight_penalty(self) -> tf.Tensor:
        decays = zip(self._decays, self._variables, strict=True)
        terms = [0.5 * decay * tf.reduce_sum(tf.square(variable)) for decay, variable in decays if decay > 0]
        return tf.add_n(terms) if terms else tf.constant(0.0)

    def _loss_terms(
        self, context: Any, prelogits: tf.Tensor, labels: tf.Tensor, every_label: tf.Tensor
    ) -> dict[str, tuple[float, tf.Tensor]]:
        """Return factor and local sum of each part of the loss, in `METRICS`' order; the accuracy has factor 0."""
        settings = self._settings
        zero = tf.constant(0.0)
        correct, center = zero, zero
        if settings.loss == "triplet":
            classification = self._triplet_term(context, prelogits, labels, every_label)
        else:
            logits = self._logits(prelogits, labels)
            classification = tf.reduce_sum(losses.softmax_cross_entropy(logits, labels))
            correct = tf.reduce_sum(
                tf.cast(tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels), tf.float32)
            )
        if self._network.centers is not None:
            center = tf.reduce_sum(losses.center_loss(prelogits, tf.gather(self._network.centers, labels)))
        return {
            "classification": (1.0, classification),
            "center": (settings.center_factor, center),
            "norm": (settings.prelogits_norm_factor, tf.reduce_sum(losses.prelogits_norm(prelogits))),
            "accuracy": (0.0, tf.stop_gradient(correct)),
        }

    def _logits(self, prelogits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        settings = self._settings
        if settings.loss == "arcface":
            return losses.arcface_logits(
                prelogits,
                self._network.classifier[0],
                labels,
                scale=settings.arcface_scale,
                margin=settings.arcface_margin,
            )
        kernel, bias = self._network.classifier
        return tf.matmul(prelogits, kernel) + bias

    def _triplet_term(self, context: Any, prelogits: tf.Tensor, labels: tf.Tensor, every_label: tf.Tensor) -> tf.Tensor:
        """Return this replica's share of the triplet loss, whose gradient is that of its own embeddings.

        Triplets are mined in the whole global batch. Every replica computes the whole loss; its own rows carry
        the gradient, and the shares' values add up to the loss times the number of samples.
        """
        embeddings = losses.unit_rows(prelogits)
        every = _gathered(context, tf.stop_gradient(embeddings))
        every += _in_global_rows(context, embeddings - tf.stop_gradient(embeddings))
        loss = losses.semi_hard_triplet_loss(every, every_label, margin=self._settings.triplet_margin)
        n_samples, n_replicas = float(self._settings.batch_size), float(context.num_replicas_in_sync)
        share = tf.stop_gradient(loss) / n_replicas
        return n_samples * (share + loss - tf.stop_gradient(loss))

    def _move_centers(self, context: Any, prelogits: tf.Tensor, labels: tf.Tensor, every_label: tf.Tensor) -> tf.Tensor:
        """Move the centers by the global batch's differences; return this replica's share of the mean distance."""
        centers = self._network.centers
        if centers is None:
            return tf.constant(0.0)
        settings = self._settings
        difference = tf.gather(centers, labels) - tf.stop_gradient(prelogits)
        weights = sample_weights(every_label, settings.center_loss_alfa, settings.center_update)
        every_difference = _gathered(context, difference)
        steps = center_steps(every_label, weights[:, None] * every_difference)
        moved = tf.tensor_scatter_nd_sub(tf.convert_to_tensor(centers), steps.indices[:, None], steps.values)
        centers.assign(moved)
        return tf.reduce_sum(tf.norm(difference, axis=1)) / settings.batch_size


def _in_global_rows(context: Any, local: tf.Tensor) -> tf.Tensor:
    """Return `local` (n, ...) in its rows of the global batch, zeros in the rows of other replicas."""
    n_replicas = context.num_replicas_in_sync
    if n_replicas == 1:
        return local
    n_rows, replica = tf.shape(local)[0], context.replica_id_in_sync_group
    padding = tf.concat(
        [[[replica * n_rows, (n_replicas - 1 - replica) * n_rows]], tf.zeros((len(local.shape) - 1, 2), tf.int32)],
        axis=0,
    )
    return tf.pad(local, padding)


def _gathered(context: Any, local: tf.Tensor) -> tf.Tensor:
    """Return the rows of all replicas in the global batch's order: an all-reduce of rows that are zero elsewhere."""
    if context.num_replicas_in_sync == 1:
        return local
    return context.all_reduce(tf.distribute.ReduceOp.SUM, _in_global_rows(context, local))
