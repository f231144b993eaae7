"""The HEALTHCHECK of the Dockerfile: asks this container's web server for /healthz, and fails unless it answers 200."""

import http.client
import os
from http import HTTPStatus


def main() -> None:
    port = int(os.environ["BIND"].rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
    if status != HTTPStatus.OK:
        raise SystemExit(f"/healthz answers {status}")


if __name__ == "__main__":
    main()
