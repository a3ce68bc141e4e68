//! Receipts that others can check.

use serde_json::{Value, json};
use server::config::Config;

use crate::harness::{TestServer, says};

/// The bytes of a text in base64url (RFC 4648).
fn from_base64url(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let six = |letter| alphabet.find(letter).expect("a letter of the alphabet");
    let mut bits = text
        .chars()
        .map(six)
        .fold((0_u32, 0, Vec::new()), |(kept, n, mut out), six| {
            let (kept, n) = (kept << 6 | six as u32, n + 6);
            if n < 8 {
                return (kept, n, out);
            }
            out.push((kept >> (n - 8)) as u8);
            (kept & ((1 << (n - 8)) - 1), n - 8, out)
        });
    std::mem::take(&mut bits.2)
}

fn is_signed(jws: &str, keys: &Value) -> bool {
    let (signed, signature) = jws.rsplit_once('.').expect("three parts");
    let public = from_base64url(keys["keys"][0]["x"].as_str().expect("a key"));
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public);
    key.verify(signed.as_bytes(), &from_base64url(signature))
        .is_ok()
}

#[tokio::test]
async fn a_receipt_is_signed_with_a_key_that_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config::default();
    config.receipts.signing_key = Some(folder.path().join("keys/receipts.key"));
    let server = TestServer::start_with(config.clone(), says("The sky is blue.")).await;
    server
        .add("sky.txt", "The sky is blue. Grass is green.")
        .await;
    let answer = server
        .ask("What colour is the sky?", json!({"answer": "model"}))
        .await;
    let id = answer["id"].as_str().expect("an id");
    let keys = server.get("/.well-known/jwks.json").await;
    let signed = server.get(&format!("/v1/answers/{id}/signed")).await;
    let jws = signed["jws"].as_str().expect("a signature");
    assert!(is_signed(jws, &keys), "{signed}");
    let parts = jws.split('.').map(from_base64url).collect::<Vec<_>>();
    let header: Value = serde_json::from_slice(&parts[0]).expect("JSON");
    assert_eq!(
        header,
        json!({"alg": "EdDSA", "kid": keys["keys"][0]["kid"]})
    );
    let payload: Value = serde_json::from_slice(&parts[1]).expect("JSON");
    assert_eq!(payload, server.get(&format!("/v1/answers/{id}")).await);
    // Another receipt under the same signature is found out.
    let mut forged = jws.to_owned();
    let middle = jws.find('.').expect("three parts") + 40;
    let other = if jws[middle..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    forged.replace_range(middle..=middle, other);
    assert!(!is_signed(&forged, &keys));
    // The key is in its file, for the next start.
    let next = TestServer::start_with(config, says("")).await;
    assert_eq!(next.get("/.well-known/jwks.json").await, keys);
    let unsigned = TestServer::start(says("")).await;
    let refused = unsigned.get("/.well-known/jwks.json").await;
    assert_eq!(refused["error"]["code"], "not_signed", "{refused}");
}
