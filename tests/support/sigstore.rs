//! A world of keyless signatures for tests: an authority, logs and a clock of its own.
//!
//! Everything is made afresh, and nothing is asked for anywhere. What a signature lacks, or has wrong, a [`Wish`] says;
//! what is wrong with a finished bundle, a test changes in its JSON.

#[path = "sigstore/der.rs"]
mod der;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::PublicKeyData as _;
use rcgen::SanType;
use rcgen::SerialNumber;
use rcgen::SigningKey as _;
use ring::digest::SHA256;
use ring::digest::digest;
use serde_json::Value;
use serde_json::json;

use self::der::name_of;
use self::der::signed_part;
use self::der::tlv;

/// The first second of 2026.
pub(crate) const NEW_YEAR: u64 = 1_767_225_600;

/// An authority, a log of certificates, a log of signatures, and a clock.
pub(crate) struct World {
    authority: Made,
    clock_root: Made,
    clock: Made,
    pub(crate) log: KeyPair,
    pub(crate) certificate_log: KeyPair,
}

/// A key with its certificate.
struct Made {
    key: KeyPair,
    params: CertificateParams,
    der: Vec<u8>,
}

/// How a signature is made.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) identity: SanType,
    pub(crate) issuer: &'static str,
    /// Seconds after the start of the certificate at which it signs; the certificate is valid for 600.
    pub(crate) signs_after: u64,
    pub(crate) usage: ExtendedKeyUsagePurpose,
    /// Whether a log has promised to show the certificate.
    pub(crate) promised: bool,
    /// The generation of the log of signatures: 1, with its promise of a time, or 2, with a time-stamp.
    pub(crate) generation: u8,
    /// Whether it is a statement in an envelope.
    pub(crate) statement: bool,
}

impl Wish {
    /// A signature in order.
    pub(crate) fn of(identity: &str, issuer: &'static str) -> Self {
        let identity = match identity.contains("://") {
            true => SanType::URI(identity.try_into().unwrap()),
            false => SanType::Rfc822Name(identity.try_into().unwrap()),
        };
        let usage = ExtendedKeyUsagePurpose::CodeSigning;
        Self { identity, issuer, signs_after: 5, usage, promised: true, generation: 1, statement: false }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let authority = Made::root("authority", ExtendedKeyUsagePurpose::CodeSigning);
        let clock_root = Made::root("clocks", ExtendedKeyUsagePurpose::TimeStamping);
        let mut params = params("clock");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // The one usage, and that is critical (RFC 3161, section 2.3).
        let usage = tlv(0x30, &[&tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 3, 8]])]);
        params.custom_extensions = vec![extension(&[2, 5, 29, 37], usage, true)];
        let key = KeyPair::generate().unwrap();
        let der = params.signed_by(&key, &clock_root.issuer()).unwrap().der().to_vec();
        let clock = Made { key, params, der };
        let key = || KeyPair::generate().unwrap();
        Self { authority, clock_root, clock, log: key(), certificate_log: key() }
    }

    /// The trusted root of this world.
    pub(crate) fn root(&self) -> Value {
        let since = json!({"start": "2025-01-01T00:00:00Z"});
        let log = |key: &KeyPair| {
            let info = key.subject_public_key_info();
            json!({
                "baseUrl": "https://log.test", "hashAlgorithm": "SHA2_256",
                "publicKey": {"rawBytes": b64(&info), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since},
                "logId": {"keyId": b64(&sha256(&info))},
            })
        };
        let authority = |chain: &[&Made]| {
            let chain: Vec<_> = chain.iter().map(|made| json!({"rawBytes": b64(&made.der)})).collect();
            json!({
                "subject": {"organization": "test", "commonName": "test"}, "uri": "https://authority.test",
                "certChain": {"certificates": chain}, "validFor": since,
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.log)],
            "ctlogs": [log(&self.certificate_log)],
            "certificateAuthorities": [authority(&[&self.authority])],
            "timestampAuthorities": [authority(&[&self.clock, &self.clock_root])],
        })
    }

    /// Makes a bundle of a signature over these bytes.
    pub(crate) fn sign(&self, wish: &Wish, bytes: &[u8]) -> Value {
        let key = KeyPair::generate().unwrap();
        let certificate = self.certificate(wish, &key);
        let (content, signed, signature) = content(bytes, &key, wish.statement);
        let pem = pem("CERTIFICATE", &certificate);
        let verifier =
            json!({"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": b64(&certificate)}});
        let at = NEW_YEAR + wish.signs_after;
        let entry = self.entry(wish, &signed, bytes, &signature, (&pem, &verifier), at);
        let stamps = match wish.generation {
            1 => Vec::new(),
            _ => vec![json!({"signedTimestamp": b64(&self.time_stamp(&signature, at))})],
        };
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(&certificate)},
                "tlogEntries": [entry],
                "timestampVerificationData": {"rfc3161Timestamps": stamps},
            },
        });
        bundle.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        bundle
    }

    /// Makes a bundle of a signature by a key of its own, which the log has, too.
    pub(crate) fn sign_with(&self, key: &KeyPair, bytes: &[u8], statement: bool) -> Value {
        let (content, signed, signature) = content(bytes, key, statement);
        let info = key.subject_public_key_info();
        let verifier = json!({"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": {"rawBytes": b64(&info)}});
        let wish = Wish { statement, ..Wish::of("nobody@test", "") };
        let entry = self.entry(&wish, &signed, bytes, &signature, (&key.public_key_pem(), &verifier), NEW_YEAR);
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": b64(&sha256(&info))}, "tlogEntries": [entry]},
        });
        bundle.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        bundle
    }

    /// A certificate for a key, with the promise of the log of certificates.
    fn certificate(&self, wish: &Wish, key: &KeyPair) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from(vec![7; 20]));
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = params.not_before + Duration::from_secs(600);
        params.subject_alt_names = vec![wish.identity.clone()];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![wish.usage.clone()];
        params.use_authority_key_identifier_extension = true;
        params.custom_extensions = vec![
            extension(&[1, 3, 6, 1, 4, 1, 57264, 1, 1], wish.issuer.as_bytes().to_vec(), false),
            extension(&[1, 3, 6, 1, 4, 1, 57264, 1, 8], tlv(0x0c, &[wish.issuer.as_bytes()]), false),
        ];
        let make = |params: &CertificateParams| params.signed_by(key, &self.authority.issuer()).unwrap().der().to_vec();
        let before = make(&params);
        if !wish.promised {
            return before;
        }
        let promise = self.promise(signed_part(&before));
        params.custom_extensions.push(extension(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], tlv(4, &[&promise]), false));
        make(&params)
    }

    /// The list with the one promise to show a certificate.
    fn promise(&self, before: &[u8]) -> Vec<u8> {
        let time = (NEW_YEAR * 1000).to_be_bytes();
        let issuer = sha256(&self.authority.key.subject_public_key_info());
        let size = &u32::try_from(before.len()).unwrap().to_be_bytes()[1..];
        let signed = [&[0, 0], &time[..], &[0, 1], &issuer, size, before, &[0, 0]].concat();
        let signature = self.certificate_log.sign(&signed).unwrap();
        let id = sha256(&self.certificate_log.subject_public_key_info());
        let promise = [&[0], &id[..], &time, &[0, 0], &[4, 3], &vector(&signature)].concat();
        vector(&vector(&promise))
    }

    /// An entry of the log of signatures: the third of five.
    fn entry(
        &self,
        wish: &Wish,
        signed: &[u8],
        bytes: &[u8],
        signature: &[u8],
        (pem, verifier): (&str, &Value),
        at: u64,
    ) -> Value {
        let (signature, pem) = (b64(signature), b64(pem.as_bytes()));
        let (kind, version, spec) = match (wish.generation, wish.statement) {
            (1, false) => (
                "hashedrekord",
                "0.0.1",
                json!({
                    "data": {"hash": {"algorithm": "sha256", "value": hex(&sha256(signed))}},
                    "signature": {"content": signature, "publicKey": {"content": pem}},
                }),
            ),
            (1, true) => (
                "dsse",
                "0.0.1",
                json!({
                    "envelopeHash": {"algorithm": "sha256", "value": hex(&sha256(b"envelope"))},
                    "payloadHash": {"algorithm": "sha256", "value": hex(&sha256(&statement(bytes)))},
                    "signatures": [{"signature": signature, "verifier": pem}],
                }),
            ),
            _ => (
                "hashedrekord",
                "0.0.2",
                json!({"hashedRekordV002": {
                    "data": {"algorithm": "SHA2_256", "digest": b64(&sha256(signed))},
                    "signature": {"content": signature, "verifier": verifier},
                }}),
            ),
        };
        let body = json!({"apiVersion": version, "kind": kind, "spec": spec}).to_string();
        self.logged(kind, version, body.as_bytes(), at, wish.generation)
    }

    /// A body as the log has it.
    pub(crate) fn logged(&self, kind: &str, version: &str, body: &[u8], at: u64, generation: u8) -> Value {
        let node = |left: &[u8], right: &[u8]| sha256(&[&[1], left, right].concat());
        let leaf = sha256(&[&[0], body].concat());
        let other = |number: u8| sha256(&[number]);
        // Of the leaves 0 to 4 the entry is leaf 2: its path is leaf 3, the node over 0 and 1, and leaf 4.
        let first = node(&other(0), &other(1));
        let root = node(&node(&first, &node(&leaf, &other(3))), &other(4));
        let path: Vec<_> = [other(3), first, other(4)].iter().map(|hash| b64(hash)).collect();
        let text = format!("log.test\n5\n{}\n", b64(&root));
        let id = sha256(&self.log.subject_public_key_info());
        let signature = [&id[..4], &self.log.sign(text.as_bytes()).unwrap()].concat();
        let envelope = format!("{text}\n— log.test {}\n", b64(&signature));
        let mut entry = json!({
            "logIndex": "2",
            "logId": {"keyId": b64(&id)},
            "kindVersion": {"kind": kind, "version": version},
            "canonicalizedBody": b64(body),
            "inclusionProof": {
                "logIndex": "2", "rootHash": b64(&root), "treeSize": "5", "hashes": path,
                "checkpoint": {"envelope": envelope},
            },
        });
        if generation == 1 {
            let (body, id) = (b64(body), hex(&id));
            let promised = format!(r#"{{"body":"{body}","integratedTime":{at},"logID":"{id}","logIndex":2}}"#);
            entry["integratedTime"] = json!(at.to_string());
            entry["inclusionPromise"] =
                json!({"signedEntryTimestamp": b64(&self.log.sign(promised.as_bytes()).unwrap())});
        }
        entry
    }

    /// A time-stamp of a signature, in the answer that it comes in.
    pub(crate) fn time_stamp(&self, signature: &[u8], at: u64) -> Vec<u8> {
        let sha2 = tlv(0x30, &[&tlv(6, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]])]);
        let kind = tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 4]]);
        let seconds = (at - NEW_YEAR) % 60;
        let time = format!("202601010{:01}{:02}{seconds:02}Z", (at - NEW_YEAR) / 3600, (at - NEW_YEAR) / 60 % 60);
        let statement = tlv(
            0x30,
            &[
                &tlv(2, &[&[1]]),
                &tlv(6, &[&[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 2]]),
                &tlv(0x30, &[&sha2, &tlv(4, &[&sha256(signature)])]),
                &tlv(2, &[&[1]]),
                &tlv(0x18, &[time.as_bytes()]),
            ],
        );
        let attribute = |last: u8, value: &[u8]| {
            let name = tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, last]]);
            tlv(0x30, &[&name, &tlv(0x31, &[value])])
        };
        let attributes = [attribute(3, &kind), attribute(4, &tlv(4, &[&sha256(&statement)]))].concat();
        let signed = self.clock.key.sign(&tlv(0x31, &[&attributes])).unwrap();
        let signer = tlv(0x30, &[&name_of(&self.clock.der), &tlv(2, &[&[3]])]);
        let ecdsa = tlv(0x30, &[&tlv(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])]);
        let info =
            tlv(0x30, &[&tlv(2, &[&[1]]), &signer, &sha2, &tlv(0xa0, &[&attributes]), &ecdsa, &tlv(4, &[&signed])]);
        let content = tlv(0x30, &[&kind, &tlv(0xa0, &[&tlv(4, &[&statement])])]);
        let data = tlv(0x30, &[&tlv(2, &[&[3]]), &tlv(0x31, &[&sha2]), &content, &tlv(0x31, &[&info])]);
        let signed_data = tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]]);
        let token = tlv(0x30, &[&signed_data, &tlv(0xa0, &[&data])]);
        tlv(0x30, &[&tlv(0x30, &[&tlv(2, &[&[0]])]), &token])
    }
}

impl Made {
    fn root(name: &str, usage: ExtendedKeyUsagePurpose) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { key, params, der }
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(vec![3]));
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2035, 1, 1);
    params
}

fn extension(oid: &[u64], content: Vec<u8>, critical: bool) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content);
    extension.set_criticality(critical);
    extension
}

/// What is signed, the bytes that the signature is over, and the signature.
fn content(bytes: &[u8], key: &KeyPair, is_statement: bool) -> (Value, Vec<u8>, Vec<u8>) {
    if !is_statement {
        let signature = key.sign(bytes).unwrap();
        let digest = json!({"algorithm": "SHA2_256", "digest": b64(&sha256(bytes))});
        let content = json!({"messageSignature": {"messageDigest": digest, "signature": b64(&signature)}});
        return (content, bytes.to_vec(), signature);
    }
    let (kind, payload) = ("application/vnd.in-toto+json", statement(bytes));
    let signed = [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), &payload].concat();
    let signature = key.sign(&signed).unwrap();
    let envelope = json!({"payload": b64(&payload), "payloadType": kind, "signatures": [{"sig": b64(&signature)}]});
    (json!({"dsseEnvelope": envelope}), signed, signature)
}

/// A statement about bytes; bytes that are a statement are themselves one.
fn statement(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(b"{") {
        return bytes.to_vec();
    }
    let subject = json!([{"name": "policy.wasm", "digest": {"sha256": hex(&sha256(bytes))}}]);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": "https://test/v1",
        "predicate": {},
    });
    statement.to_string().into_bytes()
}

/// A vector of TLS with a length of two bytes.
fn vector(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = b64(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(crate) fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
