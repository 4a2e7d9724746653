"""Keys, requests, certificates, revocation lists and sealed secrets. The only import of the cryptography library here.

Pure: bytes in, values or bytes out; the caller tells the time and writes the files (the terminal's in
sync/identity.py, the hub's in sync/hub/authority.py). One kind of key everywhere: NIST P-256, which brokers, small
boards and old OpenSSL all know. One level of authority: a district signs its own brokers and terminals.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED = timedelta(hours=1)  # a certificate is valid a little before it is made: clocks of one district differ
MAX_PEM = 16 * 1024  # bytes; a request or certificate of ours is below 1 KB
CODE_SIGNS = 12  # 60 bits: finding another key for a shown code takes 2^60 keys
CODE_GROUP = 4
SEAL_INFO = b"village-point link key 1"
NONCE_BYTES = 12
POINT_BYTES = 65  # an uncompressed point of P-256


class BadPem(ValueError):
    """What should be a key, a request or a certificate is none, is of another kind, or does not open a seal."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something is valid, in UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a certificate whose signature was checked: the sender holds the key. `public_key`: DER."""

    pem: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. Shape: `serial` lower-case hex, `device` empty where the subject names none."""

    name: str
    device: str
    serial: str
    span: Span
    public_key: bytes
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom to certify. `name`: site code, or `hub`. `hosts`: names and addresses of a server, none for a client."""

    name: str
    device: str = ""
    hosts: tuple[str, ...] = ()


# --- both ends ------------------------------------------------------------------------------------------------------


def new_key() -> bytes:
    """Make a private key. Shape: PEM, not encrypted; whoever writes it sets mode 600."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_of(key_pem: bytes) -> bytes:
    """Return the public half of a private key, DER. Errors: BadPem."""
    return _spki(_private(key_pem).public_key())


def describe(pem: bytes) -> Certificate:
    """Read the first certificate of a PEM text. Errors: BadPem."""
    cert = _certificate(pem)
    span = Span(cert.not_valid_before_utc, cert.not_valid_after_utc)
    subject = cert.subject
    device = _text(subject, NameOID.SERIAL_NUMBER)
    name = _text(subject, NameOID.COMMON_NAME)
    return Certificate(name, device, f"{cert.serial_number:x}", span, _spki(_ec(cert.public_key())), _hosts(cert))


def fingerprint(pem: bytes) -> str:
    """SHA-256 of a certificate, 64 hex digits: what a terminal is told about its hub, and no secret. Errors: BadPem."""
    return _certificate(pem).fingerprint(hashes.SHA256()).hex()


def claim_code(public_key: bytes, authority: str) -> str:
    """The code of a device, like `K7QM-2XFA-9R3T`, from its key and the fingerprint of the authority it trusts.

    It is no secret. A machine in the middle, with a key or an authority of its own, gets another code, which nobody
    reads to the district's desk.
    """
    digest = hashlib.sha256(b"village-point claim 1\n" + authority.encode() + b"\n" + public_key).digest()
    signs = base64.b32encode(digest).decode("ascii")[:CODE_SIGNS]  # A-Z and 2-7: neither 0 nor 1 to mistake
    return "-".join(signs[at : at + CODE_GROUP] for at in range(0, CODE_SIGNS, CODE_GROUP))


# --- the terminal ---------------------------------------------------------------------------------------------------


def request(key_pem: bytes, name: str, device: str) -> str:
    """Ask for a certificate: PEM, signed with the key itself. Errors: BadPem."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(Subject(name or "unnamed", device)))
    signed = builder.sign(_private(key_pem), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode("ascii")


def belongs(cert_pem: bytes, key_pem: bytes, ca_pem: bytes) -> bool:
    """Tell whether this authority gave this certificate to this key. Errors: BadPem."""
    cert, authority = _certificate(cert_pem), _certificate(ca_pem)
    try:
        cert.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return _spki(_ec(cert.public_key())) == public_of(key_pem)


def is_signed(cert_pem: bytes, content: bytes, signature: bytes) -> bool:
    """Tell whether the holder of this certificate's key signed these bytes. Errors: BadPem."""
    try:
        _ec(_certificate(cert_pem).public_key()).verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def unseal(key_pem: bytes, sealed: bytes, purpose: bytes = SEAL_INFO) -> bytes:
    """Open what was sealed to the public half of this key. Errors: BadPem."""
    key = _private(key_pem)
    try:
        other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sealed[:POINT_BYTES])
        secret = _agreed(key.exchange(ec.ECDH(), other), sealed[:POINT_BYTES] + _point(key.public_key()), purpose)
        nonce, box = sealed[POINT_BYTES : POINT_BYTES + NONCE_BYTES], sealed[POINT_BYTES + NONCE_BYTES :]
        return AESGCM(secret).decrypt(nonce, box, purpose)
    except (ValueError, InvalidTag) as error:
        raise BadPem("what is sealed was not sealed for this key") from error


# --- the hub --------------------------------------------------------------------------------------------------------


def read_request(pem: str) -> Request:
    """Check a request and its signature. Errors: BadPem."""
    try:
        found = x509.load_pem_x509_csr(pem.encode("ascii")[:MAX_PEM])
        signed = found.is_signature_valid
        key = _ec(found.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadPem("this is no request for a certificate") from error
    if not signed:
        raise BadPem("the request is not signed by its own key")
    return Request(pem, _spki(key))


def sign(key_pem: bytes, content: bytes) -> bytes:
    """Sign bytes with a key: ECDSA over SHA-256. The first bytes of `content` say what it is. Errors: BadPem."""
    return _private(key_pem).sign(content, ec.ECDSA(hashes.SHA256()))


def seal(public_key: bytes, secret: bytes, purpose: bytes = SEAL_INFO) -> bytes:
    """Encrypt for the holder of a key alone. Shape: ephemeral point, nonce, AES-256-GCM. Errors: BadPem.

    `purpose`: what was sealed for one does not open for another.
    """
    theirs = _public(public_key)
    ours = ec.generate_private_key(ec.SECP256R1())
    point = _point(ours.public_key())
    nonce = os.urandom(NONCE_BYTES)
    agreed = _agreed(ours.exchange(ec.ECDH(), theirs), point + _point(theirs), purpose)
    return point + nonce + AESGCM(agreed).encrypt(nonce, secret, purpose)


def new_authority(key_pem: bytes, name: str, span: Span) -> bytes:
    """Make the certificate of an authority that may sign no further authority."""
    key = _private(key_pem)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _begun(subject, subject, _spki(key.public_key()), span)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def issue(authority: tuple[bytes, bytes], subject: Subject, public_key: bytes, span: Span) -> bytes:
    """Sign a certificate, PEM. `authority`: its certificate and key. Errors: BadPem."""
    ca, key = _certificate(authority[0]), _private(authority[1])
    builder = _begun(_name(subject), ca.subject, public_key, span)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    uses = [ExtendedKeyUsageOID.SERVER_AUTH if subject.hosts else ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(_ec(ca.public_key()))
    builder = builder.add_extension(issuer, critical=False)
    if subject.hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in subject.hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def revocation_list(authority: tuple[bytes, bytes], serials: Sequence[tuple[str, datetime]], now: datetime) -> bytes:
    """Sign the list of revoked certificates: hex serial and time each. Errors: BadPem.

    It stands until the authority itself ends. The broker reads a file beside it, not the network, and a list that
    ran out would lock every terminal of the district out.
    """
    ca, key = _certificate(authority[0]), _private(authority[1])
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.subject)
    builder = builder.last_update(now - BACKDATED).next_update(ca.not_valid_after_utc)
    for serial, at in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


# --- inside ---------------------------------------------------------------------------------------------------------


def _begun(subject: x509.Name, issuer: x509.Name, public_key: bytes, span: Span) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(_public(public_key))
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(span.begin - BACKDATED).not_valid_after(span.end)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(subject: Subject) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject.name)]
    if subject.device:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, subject.device))
    return x509.Name(attributes)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _hosts(cert: x509.Certificate) -> tuple[str, ...]:
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _text(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem[:MAX_PEM])
    except ValueError as error:
        raise BadPem("this is no certificate") from error


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem[:MAX_PEM], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadPem("this is no private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadPem("the private key is of another kind than P-256")
    return key


def _public(der: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return _ec(serialization.load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadPem("this is no public key") from error


def _ec(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadPem("the key is of another kind than P-256")
    return key


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _agreed(shared: bytes, points: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=points, info=purpose).derive(shared)
