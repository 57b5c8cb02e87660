"""An OIDC issuer on loopback: it publishes keys and signs tokens, and can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

AUDIENCE = "gridmap"
_MAKERS = {
    "RS": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES": lambda: ec.generate_private_key(ec.SECP256R1()),
    "Ed": ed25519.Ed25519PrivateKey.generate,
}


class Issuer:
    """Signs tokens; ``asked`` are the paths that were fetched of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: dict[str, tuple[str, Any]] = {}
        self.asked: list[str] = []
        self.is_away = False
        self.discovery: dict[str, Any] = {"issuer": url, "jwks_uri": f"{url}/keys"}

    def make_key(self, name: str, algorithm: str = "ES256") -> None:
        """Publish a key, made anew."""
        self.keys[name] = (algorithm, _MAKERS[algorithm[:2]]())

    def token(self, *, key: str = "one", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token; claims of None are left out."""
        algorithm, private = self.keys[key]
        return jwt.encode(self.claims(**claims), private, algorithm, headers={"kid": key, **(headers or {})})

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Claims of a good token, but for those given."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "a1|wang",
            "iat": now,
            "exp": now + 300,
            "gridmap_role": "viewer",
            "gridmap_areas": "*",
            "gridmap_institutions": "*",
        }
        return {name: value for name, value in {**good, **claims}.items() if value is not None}

    def published(self) -> dict[str, Any]:
        """Keys as the issuer publishes them."""
        found = []
        for name, (algorithm, private) in self.keys.items():
            public = get_default_algorithms()[algorithm].to_jwk(private.public_key(), as_dict=True)
            found.append({**public, "kid": name, "use": "sig", "alg": algorithm})
        return {"keys": found}


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Run an issuer until the end of the block."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            documents = {"/.well-known/openid-configuration": issuer.discovery, "/keys": issuer.published()}
            document = documents.get(self.path)
            self.send_response(503 if issuer.is_away else 200 if document is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    issuer.make_key("one")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
