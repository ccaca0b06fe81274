"""How gunicorn serves the site; `make run` and production use the same file."""

import os
from typing import Any

from gunicorn.glogging import Logger

from clinic.redaction import redacted


class AccessLogger(Logger):  # type: ignore[misc]
    """Writes no token of a private link, whatever the format names."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args)
        return {name: redacted(value) if isinstance(value, str) else value for name, value in atoms.items()}


bind = os.environ.get("BIND", f"127.0.0.1:{os.environ.get('PORT', '8000')}")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"  # a slow phone occupies a thread, not a worker
threads = 8
timeout = 30
graceful_timeout = 10
keepalive = 5
max_requests = 5_000
max_requests_jitter = 500
preload_app = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 (heartbeats stay in memory)
control_socket_disable = True  # else gunicorn leaves a socket in the home folder

limit_request_line = 2048
limit_request_fields = 60
limit_request_field_size = 8190
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

# Method, path, status, bytes, microseconds: no query, no referrer, no address, no agent.
logger_class = AccessLogger
accesslog = "-"
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)s %(D)s"
errorlog = "-"
