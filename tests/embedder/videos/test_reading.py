"""What a reader of videos writes beside what it returns: nothing."""

import subprocess
import sys

import pytest

_READ = """
import sys
from embedder.errors import VideoError
from embedder.videos.reading import VideoReader
try:
    VideoReader(sys.argv[1], "clip.mp4")
except VideoError as error:
    print(error)
"""


@pytest.mark.parametrize("content", [b"", b"hello, this is text"])
def test_a_file_that_is_no_video_is_refused_in_one_error_and_not_a_word_of_opencv(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    # In a process of its own: FFmpeg's level is that of the first video that a process opens.
    done = subprocess.run([sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("clip.mp4: expected a video or an image, found")
    assert done.stderr == ""
