"""The program of the privileged half of updates: `python -m edge.update_root --config FILE`, by systemd, as root.

Apart from `village-point`, whose libraries would cost each question of the kiosk seconds on a small board.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge.config import Settings, load
from edge.mistakes import ConfigError
from edge.update_helper import Powers, asked_by_root, serve
from edge.update_settings import FOLDER, UpdateSettings
from ui.mistakes import printed

INCOMING = Path("/data/rauc/incoming")  # root's own, on the data partition
STATE = Path("/run/village-update")
OF_THE_IMAGE = UpdateSettings()


def powers_of(settings: Settings, usual: UpdateSettings = OF_THE_IMAGE) -> Powers:
    """Root's own places on an image, simulated devices or not; beside the data where an image is only played.

    The settings belong to the kiosk's user: on an image they say where the releases lie, and nothing else.
    What is in STATE must be gone at the next start, else a slot on trial is taken for one that runs for good.
    """
    folder, update = settings.data_dir / FOLDER, settings.update
    if usual.image_file.exists() or update.image_file == usual.image_file:
        return Powers(folder, INCOMING, STATE, usual.keyring, usual.running())
    return Powers(folder, folder.parent / "incoming", folder.parent / "state", update.keyring, update.running())


def main(arguments: list[str]) -> int:
    """Answer one request on standard input. Return the exit code."""
    if arguments[:1] != ["--config"] or len(arguments) != 2:
        sys.stderr.write("usage: python -m edge.update_root --config FILE\n")
        return 2
    try:
        settings = load(Path(arguments[1]))
    except ConfigError as error:
        sys.stderr.write(f"{printed(error)}\n")
        return 2
    powers = powers_of(settings)
    serve(sys.stdin, sys.stdout, powers, by_root=asked_by_root(sys.stdin.fileno()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
