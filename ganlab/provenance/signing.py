"""Is a picture signed, and by whom? Signatures of C2PA, by the extra `provenance`.

The mark says where a picture comes from; a signature says that nobody has changed the
picture or what it says since. c2pa-python signs and verifies; nothing is fetched.
"""

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ganlab.errors import RunError, UserError, one_line
from ganlab.provenance import marks
from ganlab.provenance.marks import Mark
from ganlab.safety import bounded

MEDIA_TYPES = {".png": "image/png", ".gif": "image/gif", ".webp": "image/webp"}
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
ASSERTION = "io.github.ganlab.generator"
OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----\n?", re.DOTALL)
MAX_PEM_BYTES, MAX_PICTURE_BYTES = 1 << 20, 1 << 28
UNTRUSTED = "signingCredential.untrusted"
INSTALL = 'install it with pip install "ganlab[provenance]"'


@dataclass(frozen=True)
class Verdict:
    """What a picture's signature says.

    Args:
        state: `"trusted"`; `"valid"`, by a signer that nobody vouches for; `"invalid"`;
            or `"unsigned"`.
        signer: Organisation and name in the certificate; may be empty.
        reason: What is wrong, of an invalid one.
    """

    state: str
    signer: str = ""
    reason: str = ""

    def __str__(self) -> str:
        if self.state == "invalid":
            return f"invalid: {self.reason}"
        if self.state == "unsigned":
            return "not signed"
        known = "" if self.state == "trusted" else ", signer unknown"
        return f"valid{known}" + (f" ({self.signer})" if self.signer else "")


class Signer:
    """Signs pictures with a person's key; a function for `Mark.signer`.

    Args:
        path: A PEM file of a private key without passphrase, the certificate of its
            public key, and those that vouch for that one, in this order.

    Raises:
        UserError: if the file holds no such key and certificates, or the extra is
            not installed.
    """

    def __init__(self, path: Path | str) -> None:
        self._c2pa = _import_c2pa()
        content = _read_pem(Path(path))
        blocks = [(match[1], match[0]) for match in BLOCK.finditer(content)]
        keys = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
        chain = [block for kind, block in blocks if kind == b"CERTIFICATE"]
        try:
            if len(keys) != 1 or not chain:
                raise ValueError(f"{len(keys)} keys, {len(chain)} certificates")
            info = self._c2pa.C2paSignerInfo(
                _algorithm(keys[0]), b"".join(chain), keys[0], None
            )
            self._signer = self._c2pa.Signer.from_info(info)
        except Exception as error:  # cryptography's and c2pa's are of many classes
            raise UserError(
                "Expected a PEM file of one private key without passphrase and its "
                f"certificates. Received: {path} ({one_line(error)}); see the page on "
                "provenance for how to make one"
            ) from error
        self._context = _context(
            self._c2pa, {"builder": {"thumbnail": {"enabled": False}}}
        )

    def __call__(self, path: Path, mark: Mark) -> None:
        """Signs a written picture in its place.

        Raises:
            UserError: if the certificates are not what C2PA takes.
        """
        action = {
            "action": "c2pa.created",
            "digitalSourceType": marks.SOURCE_TYPES + mark.source_type,
            "softwareAgent": {"name": mark.system, "version": mark.version},
        }
        manifest: dict[str, Any] = {
            "claim_generator_info": [{"name": mark.system, "version": mark.version}],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            ],
        }
        if stated := mark.statements():
            manifest["assertions"].append({"label": ASSERTION, "data": stated})
        source, signed = io.BytesIO(path.read_bytes()), io.BytesIO()
        media_type = MEDIA_TYPES[path.suffix.lower()]
        try:
            with self._c2pa.Builder(manifest, self._context) as builder:
                builder.sign(self._signer, media_type, source, signed)
        except self._c2pa.C2paError as error:
            raise UserError(
                "Expected a certificate for C2PA: by an authority, for e-mail or "
                f"documents, not out of date. Received: {one_line(error)}; see the "
                "page on provenance for how to make one"
            ) from error
        path.write_bytes(signed.getvalue())


def check_signable(path: Path | str) -> None:
    """Raises `UserError` unless files of an output can carry a signature."""
    suffix = Path(path).suffix
    if suffix and suffix.lower() not in MEDIA_TYPES:
        raise UserError(
            f"Expected pictures to sign: {', '.join(MEDIA_TYPES)} or a folder. "
            f"Received: {path}; leave --sign out, or name another output"
        )


def verify(path: Path, trusted: str | None = None) -> Verdict:
    """What the signature of a picture says of the file as it is.

    Args:
        path: A PNG, GIF or WebP file.
        trusted: PEM text of the certificates that vouch for signers, or `None`.

    Raises:
        UserError: if it is signed and the extra is not installed.
        ValueError: for a file of more than 256 MiB.
        OSError: if it cannot be read.
    """
    content = bounded.read_bytes(path, MAX_PICTURE_BYTES)
    is_png = path.suffix.lower() == ".png"
    if is_png and marks.is_damaged_png(content):
        return Verdict("invalid", reason="bytes that are not those of their checksums")
    if b"jumb" not in content:  # the box that every manifest of C2PA lies in
        return Verdict("unsigned")
    c2pa = _import_c2pa()
    settings: dict[str, Any] = {"verify": {**OFFLINE, "verify_trust": bool(trusted)}}
    if trusted:
        settings["trust"] = {"trust_anchors": trusted}
    media_type = MEDIA_TYPES[path.suffix.lower()]
    try:
        context = _context(c2pa, settings)
        with c2pa.Reader(media_type, io.BytesIO(content), context=context) as reader:
            state, report = reader.get_validation_state(), json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return Verdict("unsigned")
    except c2pa.C2paError as error:
        return Verdict("invalid", reason=one_line(error))
    if state not in ("Valid", "Trusted"):
        return Verdict("invalid", reason=_reason(report))
    return Verdict(state.lower(), _signed_by(report))


def read_trusted(path: Path | str) -> str:
    """The certificates of a PEM file, as text.

    Raises:
        UserError: if it holds none.
    """
    content = _read_pem(Path(path))
    blocks = [
        match[0] for match in BLOCK.finditer(content) if match[1] == b"CERTIFICATE"
    ]
    if not blocks:
        raise UserError(
            f"Expected a PEM file of certificates to trust. Received: {path}, without "
            "any; name the file of the authority"
        )
    return b"".join(blocks).decode("ascii", "replace")


def _import_c2pa() -> ModuleType:
    try:
        import c2pa
        import cryptography  # noqa: F401
    except ImportError as error:
        raise RunError(
            f"Expected c2pa-python, for signatures. Received: none; {INSTALL}"
        ) from error
    module: ModuleType = c2pa
    return module


def _context(c2pa: ModuleType, settings: dict[str, Any]) -> Any:
    return c2pa.Context(c2pa.Settings.from_dict({"verify": OFFLINE, **settings}))


def _read_pem(path: Path) -> bytes:
    try:
        return bounded.read_bytes(path, MAX_PEM_BYTES)
    except ValueError as error:
        raise UserError(
            f"Expected a PEM file. Received: {path}, {error}; name another"
        ) from error


def _algorithm(key: bytes) -> bytes:
    """C2PA's name of the algorithm that a private key signs with.

    Raises:
        ValueError, TypeError: for a key of another kind, or under a passphrase.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(key, password=None)
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name in CURVES:
        return CURVES[loaded.curve.name].encode()
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    if isinstance(loaded, rsa.RSAPrivateKey):
        return b"ps256"
    raise ValueError("a key neither of NIST's curves, Ed25519 nor RSA")


def _reason(report: dict[str, Any]) -> str:
    """The codes of what C2PA found wrong, but for a signer nobody vouches for."""
    results = report.get("validation_results", {}).get("activeManifest", {})
    failures = results.get("failure", report.get("validation_status", []))
    codes = [str(failure.get("code", "")) for failure in failures]
    return ", ".join(code for code in codes if code != UNTRUSTED) or "no manifest"


def _signed_by(report: dict[str, Any]) -> str:
    manifest = report["manifests"][report["active_manifest"]]
    info = manifest.get("signature_info", {})
    names = [info.get(name) for name in ("common_name", "issuer")]
    return ", ".join(str(name) for name in names if name)
