"""Whether this process can ask the engine at once: its kernels are loaded, or there are none.

Loading takes a second or two, compiling a minute. So whoever serves people prepares in the
background; until then promises come from stock and lead times.
"""

from __future__ import annotations

import threading

_ready = threading.Event()
_preparing = threading.Lock()


def ready() -> bool:
    """Whether a question would wait for no compiler; only after ``prepare``."""
    return _ready.is_set()


def prepare() -> None:
    """Load all kernels, or compile them, once per process."""
    with _preparing:
        if not ready():
            from b2bcrm.fulfillment.planning.engine.compiled import one_at_a_time
            from b2bcrm.fulfillment.planning.standing import warm

            with one_at_a_time():
                warm()
            _ready.set()


def prepare_in_background() -> None:
    """Prepare while the process serves."""
    threading.Thread(target=prepare, name="engine", daemon=True).start()


if __name__ == "__main__":
    prepare()
