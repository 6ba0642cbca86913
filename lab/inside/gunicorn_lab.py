"""How gunicorn serves both systems. Read by gunicorn itself, inside the environment of the system."""

from __future__ import annotations

import os
import signal
import threading
import time

workers = 1  # SQLite has one writer; with two workers Tryton reports false uniqueness errors
worker_class = "gthread"
threads = 4
keepalive = 30
timeout = 300
graceful_timeout = 1
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True


def when_ready(server: object) -> None:
    """Watch the process that started us, if it wants us to end with it."""
    if parent := os.environ.get("LAB_PARENT"):
        threading.Thread(target=stop_after, args=(int(parent),), daemon=True).start()


def stop_after(parent: int) -> None:
    """Once the parent is gone we belong to somebody else: stop."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
