"""A service that does nothing but say that it is ready: for tests of what starts and stops it."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    address = os.environ["ROLLCALL_HTTP_HOST"], int(os.environ["ROLLCALL_HTTP_PORT"])
    ThreadingHTTPServer(address, Ready).serve_forever()
