//! Our own address as the client sees it, for links in answers.

use axum::http::{HeaderMap, header};

/// `http://HOST` by the request's `Host` header, `https` if a proxy says that the client came
/// that way; empty without the header, which makes links relative.
pub(super) fn base_url(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST.as_str()).filter(|host| is_plain(host)) else {
        return String::new();
    };
    let scheme = match text("x-forwarded-proto") {
        Some("https") => "https",
        _ => "http",
    };
    format!("{scheme}://{host}")
}

/// Only what a host and port can be made of: the header comes from outside.
fn is_plain(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}
