//! Receipts signed with Ed25519 (RFC 8032), as JSON Web Signatures that any library for them
//! checks (RFC 7515, RFC 8037).

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::wire::base64::encode_url;

/// Signs with one key.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    /// The thumbprint of the public key (RFC 7638).
    key_id: String,
}

impl Signer {
    /// With the key in the file at `path` (PKCS #8), which is made if it does not exist.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot use the signing key in {}", path.display());
        let key = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => make_key(path),
            other => other.map_err(Into::into),
        };
        let pair = key.and_then(|key| {
            // A key that came from elsewhere may lack its public half.
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key)
                .map_err(|error| anyhow!("it is no Ed25519 key in PKCS #8 ({error})"))
        });
        let pair = pair.with_context(cannot)?;
        let public = encode_url(pair.public_key().as_ref());
        // Its members in the order that the standard says, and nothing between them.
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
        let key_id = encode_url(&Sha256::digest(canonical));
        Ok(Self { pair, key_id })
    }

    /// `payload` with its signature, in the compact form.
    pub(crate) fn sign(&self, payload: &[u8]) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.key_id}).to_string();
        let signed = format!("{}.{}", encode_url(header.as_bytes()), encode_url(payload));
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", encode_url(signature.as_ref()))
    }

    /// The public key, as a set of one (RFC 7517).
    pub(crate) fn public_keys(&self) -> Value {
        json!({"keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.key_id,
            "x": encode_url(self.pair.public_key().as_ref()),
        }]})
    }
}

/// Nobody but the owner reads it, and it is whole or not there.
fn make_key(path: &Path) -> anyhow::Result<Vec<u8>> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow!("the system gives no random numbers"))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(key.as_ref())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(key.as_ref().to_vec())
}
