"""Viewer of ``--show``: annotated frames, selection and enrolment of faces, and the other commands of the keys."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foundation.text import sanitize_for_terminal
from recognition.outputs.image_files import write_image
from recognition.outputs.overlay import SELECTED_COLOR, Mark, draw_marks, draw_note
from recognition.tracking.loop import TrackedFace
from recognition.viewer.window import KEYS_HELP, Key, KeyWindow, NameField, key_of

logger = logging.getLogger(__name__)

_MESSAGE_S = 4.0
_IDLE_S = 0.03
_ENROL_TIMEOUT_S = 10.0

Enrol = Callable[[int, str], str]


class Viewer:
    """Show annotated frames and carry out the commands of keys and clicks.

    Parameters
    ----------
    make_window : callable
        Returns the window, given the function to call with x and y of each click.
    enrol : callable or None
        Enrols a track under a name and returns the outcome as text; None where nobody can be enrolled.
    folder : Path
        Where snapshots are saved.
    stopping : threading.Event
        Set from outside to end the run, also during a pause.
    ask : callable or None
        Asks a question in the terminal, where every script can be typed; None without a terminal.

    Attributes
    ----------
    wants_to_quit : bool
    """

    def __init__(
        self,
        make_window: Callable[[Callable[[int, int], None]], KeyWindow],
        enrol: Enrol | None,
        *,
        folder: Path,
        stopping: threading.Event,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        self._window = make_window(self.click)
        self._enrol = enrol
        self._folder = folder
        self._stopping = stopping
        self._ask = ask
        self._image: np.ndarray | None = None
        self._faces: Sequence[TrackedFace] = ()
        self._selected: int | None = None
        self._name: NameField | None = None
        self._message, self._message_until_s = KEYS_HELP, time.monotonic() + _MESSAGE_S
        self._is_paused = False
        self._n_snapshots = 0
        self._asking: threading.Thread | None = None
        self._enrolling: threading.Thread | None = None
        self.wants_to_quit = False

    def show(self, image: np.ndarray, faces: Sequence[TrackedFace], *, until_s: float | None = None) -> None:
        """Show an annotated frame and process keys; during a pause this does not return.

        Parameters
        ----------
        image : numpy.ndarray
            uint8 (h, w, 3), RGB.
        faces : sequence of TrackedFace
            Faces that can be selected.
        until_s : float, optional
            Return at this time of ``time.monotonic()``, to show a file at its own speed.
        """
        self._image, self._faces = image, faces
        # A face that is being named stays selected: letters of the name must not become commands.
        if self._name is None and not self._is_visible(self._selected):
            self._selected = None
        while True:
            self._window.show(self._with_overlay(image))
            left_s = 0.0 if until_s is None else until_s - time.monotonic()
            self._serve(image, _IDLE_S if self._is_paused else min(_IDLE_S, left_s))
            if self._window.is_closed or self._stopping.is_set():
                self.wants_to_quit = True
            if self.wants_to_quit or (not self._is_paused and (until_s is None or time.monotonic() >= until_s)):
                return

    def serve(self) -> None:
        """Process keys while no new frame arrives; before the first frame only those to quit."""
        if self._image is not None:
            self.show(self._image, self._faces)
            return
        character = self._window.wait(_IDLE_S)
        if self._window.is_closed or (character is not None and key_of(character) is Key.QUIT):
            self.wants_to_quit = True

    def click(self, x: int, y: int) -> None:
        """Select the face at a point of the image, in pixels."""
        if self._name is not None:
            return
        hit = [face.track for face in self._faces if face.box[0] <= x < face.box[2] and face.box[1] <= y < face.box[3]]
        self._selected = hit[0] if hit else None

    def show_message(self, text: str) -> None:
        """Show a message for four seconds."""
        self._message, self._message_until_s = text, time.monotonic() + _MESSAGE_S

    def close(self) -> None:
        """Close the window and wait for an enrolment that still runs."""
        self._window.close()
        if self._enrolling is not None:
            self._enrolling.join(_ENROL_TIMEOUT_S)

    def _serve(self, image: np.ndarray, seconds: float) -> None:
        character = self._window.wait(seconds)
        if character is None:
            return
        if self._name is not None:
            self._type(self._name, character)
            return
        key = key_of(character)
        if key is Key.QUIT:
            self.wants_to_quit = True
        elif key is Key.PAUSE:
            self._is_paused = not self._is_paused
        elif key is Key.SNAPSHOT:
            self._snapshot(image)
        elif key is Key.NEXT_FACE:
            self._select_next()
        elif key in (Key.ENROL, Key.ENROL_IN_TERMINAL):
            self._begin_name(in_terminal=key is Key.ENROL_IN_TERMINAL)

    def _type(self, field: NameField, character: int) -> None:
        name = field.type(character)
        if name is None:
            return
        self._name = None
        if name and not self._is_visible(self._selected):
            self.show_message(f"{name} is not enrolled: the face has gone")
        elif name and self._selected is not None and self._enrol is not None:
            self._enrolling = _in_background(self._enrol_now, self._enrol, self._selected, name)

    def _ask_and_enrol(self, enrol: Enrol, ask: Callable[[str], str], track: int) -> None:
        try:
            name = ask("name of the selected face (empty: nobody): ").strip()
        except (EOFError, ValueError):  # the end of the terminal's input, and bytes that are no text
            name = ""
        if name:
            self._enrolling = threading.current_thread()
            self._enrol_now(enrol, track, name)

    def _is_visible(self, track: int | None) -> bool:
        return track is not None and track in {face.track for face in self._faces}

    def _enrol_now(self, enrol: Enrol, track: int, name: str) -> None:
        self.show_message(f"enrolling {name} ...")
        try:
            outcome = enrol(track, name)
        except (ValueError, OSError) as error:
            outcome = f"not enrolled: {error}"
        logger.info("%s", sanitize_for_terminal(outcome))
        self.show_message(outcome)

    def _begin_name(self, *, in_terminal: bool) -> None:
        tracks = [face.track for face in self._faces if face.track is not None]
        if self._enrol is None:
            self.show_message("nobody can be enrolled from here")
            return
        if self._selected is None and len(tracks) == 1:
            self._selected = tracks[0]
        if self._selected is None:
            self.show_message("select a face first: tab, or click it")
            return
        if not in_terminal:
            self._name = NameField()
        elif self._ask is None:
            self.show_message("there is no terminal to type the name in")
        else:
            self.show_message("type the name in the terminal")
            if self._asking is None or not self._asking.is_alive():
                self._asking = _in_background(self._ask_and_enrol, self._enrol, self._ask, self._selected)

    def _select_next(self) -> None:
        tracks = sorted(face.track for face in self._faces if face.track is not None)
        later = [track for track in tracks if self._selected is not None and track > self._selected]
        self._selected = next(iter([*later, *tracks]), None)

    def _snapshot(self, image: np.ndarray) -> None:
        self._n_snapshots += 1
        path = self._folder / f"snapshot-{time.strftime('%Y%m%d-%H%M%S')}-{self._n_snapshots}.png"
        try:
            write_image(path, image, is_private=True)
        except OSError as error:
            self.show_message(f"no snapshot: {error}")
        else:
            self.show_message(f"saved {path}")

    def _with_overlay(self, image: np.ndarray) -> np.ndarray:
        """Return the image with the selection and the message drawn on it."""
        marks = [
            Mark(face.box, "", SELECTED_COLOR)
            for face in self._faces
            if face.track is not None and face.track == self._selected
        ]
        drawn = draw_marks(image, marks) if marks else image
        if self._name is not None:
            return draw_note(drawn, f"name: {self._name.text}_   (enter, or escape)")
        if self._is_paused:
            return draw_note(drawn, "paused")
        return draw_note(drawn, self._message) if time.monotonic() < self._message_until_s else drawn


def _in_background(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread
