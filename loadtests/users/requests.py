"""HTTP and HTTPS requests over kept-alive connections."""

from __future__ import annotations

from urllib.parse import urlsplit

from locust import FastHttpUser, constant, task
from locust.env import Environment


class HttpUser(FastHttpUser):
    """GETs the --http URL as fast as it can; anything but 200 is a failure."""

    wait_time = constant(0)
    insecure = True
    option = "http"

    def __init__(self, environment: Environment) -> None:
        options = vars(environment.parsed_options)
        url = urlsplit(options[self.option])
        self.host = f"{url.scheme}://{url.netloc}"
        self._path = url.path or "/"
        self._headers = {"Host": options["http_host"]} if options["http_host"] else {}
        super().__init__(environment)

    @task
    def get(self) -> None:
        """One request."""
        with self.client.get(self._path, headers=self._headers, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")


class HttpsUser(HttpUser):
    """The same over TLS that the gateway terminates."""

    option = "https"
