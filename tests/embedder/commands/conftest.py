"""The made-up faces and the small network of the training tests, for the command that trains."""

from tests.embedder.training.conftest import faces as faces
from tests.embedder.training.conftest import small as small
