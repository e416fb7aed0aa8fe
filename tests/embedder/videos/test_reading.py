"""What a reader of videos writes beside what it returns: nothing."""

import cv2
import pytest

from embedder.errors import VideoError
from embedder.videos.reading import VideoReader


@pytest.mark.parametrize("content", [b"", b"hello, this is text"])
def test_a_file_that_is_no_video_is_refused_in_one_error_and_not_a_word_of_opencv(tmp_path, capfd, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_WARNING)
    try:
        with pytest.raises(VideoError, match=r"clip\.mp4: expected a video or an image, found"):
            VideoReader(str(path), path.name)
        assert capfd.readouterr() == ("", "")
        assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_WARNING
    finally:
        cv2.utils.logging.setLogLevel(level)
