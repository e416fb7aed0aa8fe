"""Give somebody in a head another name, or say that two people are one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import IdentityError
from classifiers.heads.head import Head
from classifiers.members.editing import check_new_name, enrolled_name, find_name, replace_matcher
from classifiers.members.enrolment import least_agreement
from classifiers.scores.gallery import FROM_ENROLMENT, FROM_RENAMING, FROM_TABLE, Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.same_faces import same_faces


class Merge(NamedTuple):
    """Result of `merge_people`.

    Attributes
    ----------
    head : Head
        With one person where there were two.
    n_moved : int
        Exemplars that have got the name that stays.
    likeness : float
        The best score of a photo of the one with a photo of the other.
    expected : float
        What the best score of two photos of one person is expected to reach, see `enrolment.least_agreement`.
    """

    head: Head
    n_moved: int
    likeness: float
    expected: float

    @property
    def is_doubtful(self) -> bool:
        """Whether the two look like two people."""
        return self.likeness < self.expected


def rename_person(head: Head, old: str, new: str) -> Head:
    """Return `head` with another name for a person, who keeps their exemplars and what was rejected as them.

    Training again keeps the new name, also for photos that the table has under the old one.

    Raises
    ------
    IdentityError
        If `old` is not enrolled, or nobody may be called `new`, or somebody else is.
    """
    label, name = enrolled_name(head, old), check_new_name(new)
    taken = find_name(head.labels, name)
    if taken is not None and taken != label:
        raise IdentityError(
            f"{taken!r} is enrolled already, expected a name that nobody has; if the two are one person, use "
            f"facetable merge HEAD {label!r} {taken!r}"
        )
    return _relabelled(head, head.matcher, label, name=name)


def merge_people(head: Head, gone: str, stays: str) -> Merge:
    """Return `head` with the exemplars and rejections of `gone` as those of `stays`.

    A face that was enrolled as either and rejected as the other is an exemplar, as if it were enrolled anew.

    Raises
    ------
    IdentityError
        If one of them is not enrolled, or both are one person.
    """
    leaving, staying = enrolled_name(head, gone), enrolled_name(head, stays)
    if leaving == staying:
        raise IdentityError(f"expected two people to merge, got {leaving!r} twice; name another one")
    is_gone, own = (head.gallery.identities == label for label in (leaving, staying))
    probes = head.matcher.selected(is_gone)
    others = Matcher(head.gallery.selected(own), head.matcher.background)
    likeness = float(others.scores(others.prepare(probes.gallery.vectors)).max())
    twice = is_gone & same_faces(head.gallery, others.gallery)
    changed = _relabelled(head, head.matcher.selected(~twice), leaving, name=staying)
    merged = changed.gallery.selected(changed.gallery.identities == staying)
    against = changed.rejections
    of_both = against.identities == staying
    dropped = of_both & (same_faces(against, merged) | _repeated(head.rejections, leaving, staying))
    changed = changed.replaced(rejections=against.selected(~dropped))
    return Merge(changed, int((is_gone & ~twice).sum()), likeness, least_agreement(head))


def _relabelled(head: Head, matcher: Matcher, label: str, *, name: str) -> Head:
    """Return `head` with the exemplars of `matcher`, those of `label` and its rejections under `name`."""
    gallery = matcher.gallery
    rows = gallery.identities == label
    of_table = np.isin(gallery.origins, (FROM_TABLE, FROM_RENAMING))
    # Where the head does not say, the photo may have been enrolled: it must not be lost when the head is trained again.
    renamed = gallery.renamed(rows, name, origin=FROM_ENROLMENT).renamed(rows & of_table, name, origin=FROM_RENAMING)
    rejections = head.rejections.renamed(head.rejections.identities == label, name)
    return replace_matcher(head, matcher.with_gallery(renamed)).replaced(rejections=rejections)


def _repeated(rejections: Gallery, leaving: str, staying: str) -> NDArray[np.bool_]:
    """Return ``(m,)``: rejections as `leaving` of faces that are rejected as `staying`, too."""
    as_staying = rejections.selected(rejections.identities == staying)
    repeated: NDArray[np.bool_] = (rejections.identities == leaving) & same_faces(rejections, as_staying)
    return repeated
