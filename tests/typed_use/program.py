"""A program of somebody who uses the public names and checks types: ``mypy --strict`` must find nothing in it.

It is never run: `make lint` checks it, and test_program.py sees that no public name is missing in it.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers import (
    HEADS,
    UNKNOWN,
    Gallery,
    Head,
    HeadEstimator,
    OpenSetClassifier,
    check_head,
    cluster_table,
    load_head,
    save_head,
    tpir_at_fpir_scorer,
    train_head,
)
from embedder import (
    MTCNN,
    EmbeddingTable,
    FaceEmbedder,
    FaceEncoder,
    Faces,
    FaceTransformer,
    embed_folder,
    read_image,
)


def photos_to_names(photos: Path, head_file: Path) -> list[str]:
    """Embed a folder, train a head on it, save it and name the faces of a photo."""
    table: EmbeddingTable = embed_folder(photos, photos.with_suffix(".h5"), faces="one")
    head: Head = train_head(table, head="knn", parameters={"n_neighbors": 3}, fpir=0.01)
    save_head(head, head_file, trust=["my_module.MyHead"])
    image: NDArray[np.uint8] = read_image(photos / "a.jpg")
    faces: Faces = MTCNN(min_face_size=20).detect(image)
    crops: NDArray[np.uint8] = faces.crop(image, size=160, margin=32)
    vectors: NDArray[np.float32] = FaceEmbedder().embed(crops)
    identities, scores = load_head(head_file, trust=["my_module.MyHead"]).identify(vectors)
    drawn: NDArray[np.uint8] = faces.draw(image)
    encoded = FaceEncoder().encode(drawn)
    named: list[str] = [str(name) for name, score in zip(identities, scores, strict=True) if score > 0.5]
    return [name for name in named if name != UNKNOWN] + [str(len(encoded.faces))]


def own_vectors(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Make a table of one's own vectors, search it, group it, and fit a classifier on it."""
    table = EmbeddingTable.from_arrays(vectors, ["Ada", "Bo"], space="my-network")
    nearest = table.search(vectors[0], k=3, approximate=True)
    rows: list[int] = nearest["row"].tolist()
    labels: NDArray[np.int64] = cluster_table(table).labels
    classifier = OpenSetClassifier("svm", threshold=0.5, fingerprint=table.fingerprint)
    classifier.fit(table.embeddings[rows], table.identities[rows])
    score: float = classifier.score(table.embeddings, table.identities)
    tpir: float = tpir_at_fpir_scorer(0.01)(classifier, table.embeddings, table.identities)
    gallery: Gallery = Gallery.build(table.embeddings, ["Ada", "Bo"]).without("Ada")
    print(labels, score, tpir, gallery.photos_per_identity, sorted(HEADS), table.show(0).size)
    return classifier.similarity(FaceTransformer(on_failure="zero").fit_transform(["a.jpg", Path("b.jpg")]))


def trusted(estimator: HeadEstimator) -> list[str]:
    """Try a head of one's own."""
    return check_head(estimator)
