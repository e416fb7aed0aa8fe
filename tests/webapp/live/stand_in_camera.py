"""A camera's process without networks: ``python stand_in_camera.py HEAD`` does what the address on standard input says.

``http://camera/frames/RATE/BYTES`` sends pictures whose JPEG begins with their number, ``/visit/LINES`` visits before
them, ``/fails`` says why and ends, ``/silent`` says nothing for ever.
"""

import base64
import json
import sys
import threading
import time

from webapp.live.messages import frame, pack


def send(header: dict, jpeg: bytes = b"") -> None:
    sys.stdout.buffer.write(frame(pack(header, jpeg)))
    sys.stdout.buffer.flush()


def main() -> None:
    address = sys.stdin.readline().strip()
    threading.Thread(target=lambda: (sys.stdin.read(), time.sleep(0.1), exit_now()), daemon=True).start()
    what, *more = address.split("/")[3:]
    if what.startswith("fails"):
        print(f"{address}: this camera is broken", file=sys.stderr, flush=True)
        sys.exit(1)
    if what == "silent":
        time.sleep(60)
    if what == "visit":
        for text in base64.urlsafe_b64decode(more[0]).decode().splitlines():
            header = json.loads(text)
            send(header, base64.b64decode(header.pop("jpeg")))
    rate, n_bytes = (float(more[-2]), int(more[-1])) if what == "frames" else (20.0, 1000)
    number, begun = 0, time.monotonic()
    while True:
        number += 1
        faces = [{"box": [0.25, 0.25, 0.75, 0.75], "name": "", "visit": "run-1"}] if what == "visit" else []
        send({"state": "picture", "captured": time.time(), "faces": faces}, number.to_bytes(8, "big") + bytes(n_bytes))
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))


def exit_now() -> None:
    import os

    os._exit(0)


if __name__ == "__main__":
    main()
