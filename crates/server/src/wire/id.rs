//! Names for things that are not stored.

use crate::answering::hex;

/// `prefix` and 24 random hexadecimal digits, such as `chatcmpl-5f0c…`.
pub(crate) fn random_id(prefix: &str) -> String {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    format!("{prefix}{}", hex(&bytes))
}

/// Nine random letters and digits: Mistral's chat templates refuse the id of a call that is of
/// any other length.
pub(crate) fn tool_call_id() -> String {
    let hexadecimal = random_id("");
    hexadecimal[..9].to_owned()
}
