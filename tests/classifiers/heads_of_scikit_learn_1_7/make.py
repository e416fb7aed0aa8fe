"""How the head files here were written: ``python -m tests.classifiers.heads_of_scikit_learn_1_7.make``.

Run with scikit-learn 1.7.2, skops 0.13.0 and NumPy 2.3.5, from the project's root.
"""

from pathlib import Path

from sklearn.naive_bayes import GaussianNB

from classifiers import OpenSetClassifier
from classifiers.files.head_file import save_head
from tests.classifiers.people import make_people

FOLDER = Path(__file__).parent

if __name__ == "__main__":
    people = make_people(4, 3, length=8)
    for name, head in (("svm", "svm"), ("logreg", "logreg"), ("bayes", GaussianNB())):
        save_head(OpenSetClassifier(head).fit(people.vectors, people.identities).head_, FOLDER / f"{name}.skops")
