"""Record who a face is not: a head of any kind heeds it from then on."""

from typing import NamedTuple

import numpy as np

from classifiers.errors import IdentityError
from classifiers.heads.head import Head
from classifiers.members.editing import enrolled_name, gallery_of, replace_matcher
from classifiers.members.face_samples import FaceSample
from classifiers.scores.same_faces import same_faces


class Rejection(NamedTuple):
    """Result of `reject`.

    Attributes
    ----------
    head : Head
        It never takes this face for the person again, nor one that is more like it than like the person.
    n_removed : int
        Exemplars of the person that were this very face, and are no more.
    is_new : bool
        Whether the face had not been rejected as the person before.
    """

    head: Head
    n_removed: int
    is_new: bool


def reject(head: Head, face: FaceSample, identity: str) -> Rejection:
    """Return `head` knowing that `face` is not `identity`.

    Where the face is enrolled as that person, it is taken out.

    Raises
    ------
    IdentityError
        If the person is not enrolled, or has no other photo than this one.
    """
    label = enrolled_name(head, identity)
    rejected = gallery_of([face], label)
    own = head.gallery.identities == label
    wrong = own & same_faces(head.gallery, rejected)
    if wrong.sum() == own.sum():
        raise IdentityError(
            f"{face.path}: this face is the only one enrolled as {label!r}; enrol another photo of them first, "
            "or forget them"
        )
    changed = replace_matcher(head, head.matcher.selected(~wrong)) if wrong.any() else head
    against = head.rejections
    is_new = not np.any((against.identities == label) & same_faces(against, rejected))
    if is_new:
        changed = changed.replaced(rejections=against.added(rejected))
    return Rejection(changed, int(wrong.sum()), is_new)


def face_to_reject(head: Head, faces: list[FaceSample], identity: str) -> int:
    """Return the number of the face of a photo that is meant by "this is not `identity`".

    It is the one the head takes for that person; where there is none, the one most like them.

    Raises
    ------
    IdentityError
        If the person is not enrolled, the photo has no face, or several of its faces are taken for the person.
    """
    label = enrolled_name(head, identity)
    if not faces:
        raise IdentityError(f"expected a face that is not {label!r}, found no face on the photo; give another photo")
    vectors = np.stack([face.vector for face in faces])
    named = np.flatnonzero(head.identify(vectors)[0] == label)
    if len(named) > 1:
        numbers = ", ".join(map(str, named))
        raise IdentityError(
            f"{faces[0].path}: several faces are taken for {label!r} (numbers {numbers}); "
            "say with --face which one is not; facetable explain shows them"
        )
    if len(named):
        return int(named[0])
    return int(np.argmax(head.similarity(vectors)[:, head.labels.index(label)]))
