"""Every setting of a training run, checked when it is made and written into the run's ``config.json``."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from foundation.errors import InputError

LOSSES = ("softmax", "triplet", "arcface")
OPTIMIZERS = ("rmsprop", "adam", "adamw", "sgd", "adagrad")
DECAYS = ("constant", "cosine")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
STANDARDIZATIONS = ("fixed", "per_image")
STRATEGIES = ("single", "mirrored", "multi-worker")
CENTER_UPDATES = ("paper", "sequential")
CLASS_STARTS = ("random", "means")
WEIGHTS_FILES = "a TensorFlow 1 checkpoint, a frozen graph (.pb), a Keras .h5 or a .safetensors file"
"""Of other programs, that training can start from."""

STAGES = ("stem", "block35", "mixed_6a", "block17", "mixed_7a", "block8", "block8_6", "bottleneck")
"""Parts of the network from the first to the last; training from one of them on freezes those before it."""

CENTER_LOSS_FACTOR = 1e-2
"""What the field's FaceNet code multiplies the center loss with."""

SOURCE_SIZE_PER_IMAGE_SIZE = 182 / 160
"""Under the 2018 checkpoints' training: crops of 160 out of aligned faces of 182 pixels."""

_CHANGEABLE = frozenset({"epochs", "evaluate_every", "checkpoint_every", "strategy", "sync_batch_norm"})
"""Settings that may differ when a run goes on: they change nothing that was computed so far."""


_LEARNING_RATES = {"rmsprop": 0.05, "adam": 1e-3, "adamw": 1e-3, "sgd": 0.05, "adagrad": 0.1}


def default_learning_rate(optimizer: str) -> float:
    """Return the rate that suits an optimizer when training from scratch.

    Raises
    ------
    ValueError
        If `optimizer` is unknown.
    """
    if optimizer not in _LEARNING_RATES:
        raise InputError(f"`optimizer` must be one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    return _LEARNING_RATES[optimizer]


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of a run; the names are those of the command line.

    Attributes
    ----------
    loss : {"softmax", "triplet", "arcface"}
        What identities are learned with. Softmax (with the center loss) learns from few photos a person and is the
        easiest to train; arcface puts an angle between people and wants many of them; triplet needs no classes, so that
        its memory does not grow with the number of people, and learns slowly.
    center_loss_factor : float or None
        Weight of the center loss, at least 0. Higher pulls a person's faces together and, too high, everybody's. None:
        1e-2 with softmax, 0 with the others. Must be 0 with triplet.
    center_loss_alfa : float
        In [0, 1). How slowly centers move: 0 follows each batch and its noise, near 1 lags behind the network.
    center_update : {"paper", "sequential"}
        How the samples of a batch move their center: equation 4 of Wen et al., or one after the other, as in the
        field's FaceNet code. Choose the second only to repeat its numbers.
    prelogits_norm_factor : float
        Weight, at least 0, of the sum of the absolute prelogits. Keeps them small where softmax alone would let them
        grow; 0 is right for arcface and triplet, which look at directions only.
    triplet_margin : float
        At least 0, between squared distances of unit vectors (0..4). Wider asks for more separation and keeps more
        triplets active; too wide, the embeddings collapse.
    arcface_scale : float
        Above 0, multiplies the cosines. Small, the loss cannot become low with many people; large, it saturates early.
    arcface_margin : float
        At least 0, an angle in radians added at the true class. Wider is sharper and harder to begin with.
    images_per_person : int
        Faces of each person in a batch of the triplet loss, at least 2. More give more positive pairs, fewer people.

    epochs : int
        Epochs in all, earlier starts of the run included. May be raised later.
    epoch_size : int
        Batches in an epoch; 0: one pass over the folder. Decides how often rates change and the run is verified.
    batch_size : int
        Faces in a batch, of all replicas together, at least 2, or 1 with `freeze_batch_norm`. Larger gives steadier
        gradients and statistics, takes memory in proportion, and wants a higher rate.
    optimizer : {"rmsprop", "adam", "adamw", "sgd", "adagrad"}
        Adam suits most runs; rmsprop with a schedule file repeats the published ones; sgd needs the most care with its
        rate.
    learning_rate : float
        Above 0. The default suits training from random weights; fine-tuning wants a lower one.
    schedule_text : str or None
        Text of a schedule file, ``epoch: rate`` a line, which replaces `learning_rate`.
    decay : {"constant", "cosine"}
        Cosine falls to 0 over `epochs` and ends better where their number is known; `epochs` is then fixed.
    warmup_epochs : float
        At least 0. The rate rises linearly over so many epochs; protects pretrained weights from the first gradients.
    clip_norm : float
        Above 0, the largest norm of the whole gradient. Lower survives bad batches and slows the good ones.
    weight_decay : float
        At least 0, of kernels only. More fits the training faces less closely.
    precision : {"float32", "mixed_bfloat16", "mixed_float16"}
        Arithmetic of the layers; weights stay in 32 bits. The mixed ones are faster on hardware made for them;
        float16 overflows now and then, and such a step is skipped.

    image_size : int
        Height and width in pixels that the network sees, at least 75. Time grows with its square.
    embedding_size : int
        Length of the vectors, at least 1. Longer ones tell more people apart and take more memory in every table.
    width : float
        Above 0, multiplies every layer's channels. 0.25 suits little data; time falls with about its square.
    keep_probability : float
        In (0, 1]. Dropout before the bottleneck keeps so much; lower fits less closely, and 1 switches it off.
    batch_norm_momentum : float
        In [0, 1), of the running statistics. Nearer 1 is steadier and needs more steps to be right.
    freeze_batch_norm : bool
        Keep the statistics of loaded weights: right for fine-tuning, and needed with a batch of one.
    pretrained : str or None
        Name of the weights to start from; None: random ones.
    pretrained_sha256 : str or None
        Of their file, so that a run goes on from no others.
    train_from : str
        One of `STAGES`. What lies before it is frozen: later stages train faster, need fewer faces, and change less.
    cache_features : bool
        Compute the frozen part once for every face: many times faster, but every epoch sees the same central crops.
    class_start : {"random", "means"}
        Whether class weights and centers start at the means of their faces' embeddings. Means spare pretrained weights
        gradients without meaning.

    random_crop, random_flip : bool
        Cut out at random, and mirror half of the faces. Both are free and make few faces go further.
    random_rotate : float
        Largest turn in degrees, at least 0. Faces that were aligned need little.
    random_brightness : float
        Largest change of brightness as a share of the whole range, at least 0.
    standardization : {"fixed", "per_image"}
        How pixels are scaled: (x - 127.5) / 128, or each image to mean 0 and variance 1. Must be that of the loaded
        weights; per image forgives bad light and loses what brightness says.
    min_images : int
        People with fewer faces are dropped, at least 1. One face of a person teaches little.
    validation_split : float or None
        Share of the people held back to verify on, in [0, 1). None: 0.05, and 0 under 100 people.
    seed : int
        At least 0; decides everything that is random.

    evaluate_every : int
        Epochs between two verifications, at least 1.
    checkpoint_every : int
        Steps between two checkpoints; 0: every ten minutes. What is lost when a run is killed.
    strategy : {"single", "mirrored", "multi-worker"}
        Which devices take part; see `embedder.training.run.distribution.make_distribution`. The losses are the same.
    sync_batch_norm : bool
        Batch norm over all replicas, as if the batch were in one. Off is faster, and each replica has its own.

    Raises
    ------
    ValueError
        If a setting is out of its range or two do not go together; the message names them.
    """

    loss: str = "softmax"
    center_loss_factor: float | None = None
    center_loss_alfa: float = 0.9
    center_update: str = "paper"
    prelogits_norm_factor: float = 0.0
    triplet_margin: float = 0.2
    arcface_scale: float = 64.0
    arcface_margin: float = 0.5
    images_per_person: int = 5

    epochs: int = 90
    epoch_size: int = 0
    batch_size: int = 90
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule_text: str | None = None
    decay: str = "constant"
    warmup_epochs: float = 0.0
    clip_norm: float = 5.0
    weight_decay: float = 5e-5
    precision: str = "float32"

    image_size: int = 160
    embedding_size: int = 512
    width: float = 1.0
    keep_probability: float = 0.8
    batch_norm_momentum: float = 0.995
    freeze_batch_norm: bool = False
    pretrained: str | None = None
    pretrained_sha256: str | None = None
    train_from: str = "stem"
    cache_features: bool = False
    class_start: str = "random"

    random_crop: bool = True
    random_flip: bool = True
    random_rotate: float = 0.0
    random_brightness: float = 0.0
    standardization: str = "fixed"
    min_images: int = 2
    validation_split: float | None = None
    seed: int = 0

    evaluate_every: int = 1
    checkpoint_every: int = 0
    strategy: str = "single"
    sync_batch_norm: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        self._check_choices()
        self._check_ranges()
        self._check_combinations()

    @property
    def center_factor(self) -> float:
        """Factor of the center loss: what was asked for, else 1e-2 with softmax and 0 with the other losses."""
        if self.center_loss_factor is not None:
            return self.center_loss_factor
        return CENTER_LOSS_FACTOR if self.loss == "softmax" else 0.0

    @property
    def source_size(self) -> int:
        """Height and width in pixels of the faces before they are cropped to `image_size`."""
        return round(self.image_size * SOURCE_SIZE_PER_IMAGE_SIZE)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as JSON-able values."""
        return asdict(self)

    def differences(self, earlier: dict[str, Any]) -> list[str]:
        """Return ``name: now (was earlier)`` for each setting that a run in progress may not change."""
        kept = _CHANGEABLE - ({"epochs"} if self.decay == "cosine" else set())
        now = self.to_dict()
        names = [field.name for field in fields(self) if field.name not in kept]
        return [f"{name} {now[name]!r} (was {earlier.get(name)!r})" for name in names if now[name] != earlier.get(name)]

    def _check_choices(self) -> None:
        for name, choices in (
            ("loss", LOSSES),
            ("center_update", CENTER_UPDATES),
            ("class_start", CLASS_STARTS),
            ("optimizer", OPTIMIZERS),
            ("decay", DECAYS),
            ("precision", PRECISIONS),
            ("standardization", STANDARDIZATIONS),
            ("strategy", STRATEGIES),
            ("train_from", STAGES),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise InputError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}")

    def _check_ranges(self) -> None:
        for name in ("epochs", "batch_size", "embedding_size", "evaluate_every", "min_images"):
            _require(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in (
            "epoch_size",
            "checkpoint_every",
            "weight_decay",
            "prelogits_norm_factor",
            "triplet_margin",
            "arcface_margin",
            "warmup_epochs",
            "random_rotate",
            "random_brightness",
            "seed",
        ):
            _require(name, getattr(self, name), 0 <= getattr(self, name) < math.inf, "at least 0")
        for name in ("learning_rate", "clip_norm", "arcface_scale", "width"):
            _require(name, getattr(self, name), 0 < getattr(self, name) < math.inf, "greater than 0")
        _require("center_loss_factor", self.center_factor, 0 <= self.center_factor < math.inf, "at least 0")
        _require("center_loss_alfa", self.center_loss_alfa, 0 <= self.center_loss_alfa < 1, "in [0, 1)")
        _require("keep_probability", self.keep_probability, 0 < self.keep_probability <= 1, "in (0, 1]")
        _require("batch_norm_momentum", self.batch_norm_momentum, 0 <= self.batch_norm_momentum < 1, "in [0, 1)")
        _require("image_size", self.image_size, self.image_size >= 75, "at least 75 pixels")
        _require("images_per_person", self.images_per_person, self.images_per_person >= 2, "at least 2")
        if self.validation_split is not None:
            _require("validation_split", self.validation_split, 0 <= self.validation_split < 1, "in [0, 1)")

    def _check_combinations(self) -> None:
        if self.batch_size < 2 and not self.freeze_batch_norm:
            raise InputError(
                f"`batch_size` must be at least 2, got {self.batch_size}: batch norm over a single face makes "
                "every vector the same; use --batch-size 2 or more, or --freeze-batch-norm"
            )
        if self.loss == "triplet" and self.center_factor > 0:
            raise InputError(
                "`center_loss_factor` must be 0 with `loss` triplet, which has no classes to center, "
                f"got {self.center_factor}; leave it out"
            )
        if self.loss == "triplet" and self.batch_size % self.images_per_person:
            raise InputError(
                f"`batch_size` must be a multiple of `images_per_person` ({self.images_per_person}) with "
                f"`loss` triplet, got {self.batch_size}"
            )
        if self.loss == "triplet" and self.batch_size < 2 * self.images_per_person:
            raise InputError(
                "`batch_size` must hold at least two people with `loss` triplet: expected at least "
                f"{2 * self.images_per_person}, got {self.batch_size}"
            )
        if self.cache_features and self.train_from == "stem":
            raise InputError(
                "`cache_features` needs frozen layers before `train_from`, got 'stem'; "
                "use for example --train-from block8"
            )
        if self.cache_features and self.strategy != "single":
            raise InputError(f"`cache_features` works with `strategy` single, got {self.strategy!r}")
        if self.cache_features and (self.random_rotate > 0 or self.random_brightness > 0):
            raise InputError(
                "`cache_features` computes each face once: expected `random_rotate` and `random_brightness` 0, "
                f"got {self.random_rotate} and {self.random_brightness}"
            )
        if self.class_start == "means" and (self.pretrained is None or self.loss == "triplet"):
            raise InputError(
                "`class_start` means needs a network that knows faces, and classes: name its weights with "
                "--pretrained, and another loss than triplet; "
                f"got `pretrained` {self.pretrained!r} and `loss` {self.loss!r}"
            )
        if self.train_from != "stem" and self.pretrained is None:
            raise InputError(
                f"`train_from` {self.train_from!r} would freeze random weights; name them with --pretrained"
            )


def _require(name: str, value: object, is_good: bool, expected: str) -> None:
    if not is_good:
        raise InputError(f"`{name}` must be {expected}, got {value!r}")
