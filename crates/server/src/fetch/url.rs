//! URLs as strictly as they can be read: what two programs might read differently is refused.
//!
//! The holes of fetchers are mostly differences between who checks a URL and who opens it. Here
//! one value is checked and opened, and no exotic form of a host survives: no numbers but a plain
//! address, no name and password, no backslash, no white space, no letters beyond ASCII.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::FetchError;

/// The longest URL that is read.
const MAX_BYTES: usize = 2048;

/// Where to go, and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) is_https: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// Path and query, beginning with `/`, in ASCII.
    pub(super) path: String,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// In small letters.
    Name(String),
    Address(IpAddr),
}

impl Url {
    /// Reads an absolute URL.
    pub(super) fn parse(text: &str) -> Result<Url, FetchError> {
        if text.len() > MAX_BYTES {
            return Err(refuse("it has more than 2,048 bytes"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) || text.contains('\\') {
            return Err(refuse(
                "it holds white space, a backslash or a control character",
            ));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(refuse("only http:// and https:// are fetched")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = split_port(authority, if is_https { 443 } else { 80 })?;
        Ok(Url {
            is_https,
            host: read_host(host)?,
            port,
            path: read_path(path),
        })
    }

    /// Reads what a reply says the next place is.
    pub(super) fn join(&self, location: &str) -> Result<Url, FetchError> {
        let scheme = if self.is_https { "https" } else { "http" };
        let before_path = location.split(['/', '?', '#']).next().unwrap_or_default();
        let folder = self.path.split('?').next().unwrap_or_default();
        let folder = &folder[..folder.rfind('/').map_or(0, |at| at + 1)];
        let next = match location {
            _ if before_path.contains(':') => Url::parse(location)?,
            _ if location.starts_with("//") => Url::parse(&format!("{scheme}:{location}"))?,
            _ if location.starts_with('/') => Url::parse(&format!("{}{location}", self.origin()))?,
            _ => Url::parse(&format!("{}{folder}{location}", self.origin()))?,
        };
        if self.is_https && !next.is_https {
            return Err(refuse("it leads from https to http"));
        }
        Ok(next)
    }

    /// What the `Host` of a request says.
    pub(super) fn authority(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        match self.port == if self.is_https { 443 } else { 80 } {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }

    /// The last part of the path, for people, or the host.
    pub(super) fn filename(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        match decoded(last) {
            name if name.trim().is_empty() => self.authority(),
            name => name,
        }
    }

    fn origin(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", self.origin(), self.path)
    }
}

fn split_port(authority: &str, default: u16) -> Result<(&str, u16), FetchError> {
    if authority.contains('@') {
        return Err(refuse("it holds a name or a password; none are sent"));
    }
    let end_of_host = authority.find(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[end_of_host..].find(':') else {
        return Ok((authority, default));
    };
    let (host, port) = authority.split_at(end_of_host + colon);
    match &port[1..] {
        "80" => Ok((host, 80)),
        "443" => Ok((host, 443)),
        _ => Err(refuse("only the ports 80 and 443 are fetched from")),
    }
}

fn read_host(host: &str) -> Result<Host, FetchError> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').map(str::parse::<Ipv6Addr>);
        return match address {
            Some(Ok(address)) => Ok(Host::Address(address.into())),
            _ => Err(refuse("its host is no address of version 6")),
        };
    }
    if !host.is_ascii() {
        return Err(refuse(
            "its host has letters beyond ASCII; write it in its xn-- form",
        ));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address to some programs, in a dozen ways of writing.
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        let plain = (!host.ends_with('.')).then(|| name.parse::<Ipv4Addr>());
        return match plain {
            Some(Ok(address)) => Ok(Host::Address(address.into())),
            _ => Err(refuse("its host is no name and no plain address")),
        };
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(refuse("its host is no name"));
    }
    Ok(Host::Name(name))
}

/// Path and query with everything encoded that a request may not hold, so that a URL can be
/// pasted as a browser shows it.
fn read_path(path: &str) -> String {
    let mut ascii = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        ascii.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                ascii.push_str(&format!("%{byte:02X}"));
            }
            _ => ascii.push(char::from(byte)),
        }
    }
    ascii
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let value = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match value.filter(|_| byte == b'%') {
            Some(value) => {
                bytes.push(value);
                rest = &behind[2..];
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace('/', "_")
}

fn refuse(reason: &'static str) -> FetchError {
    FetchError::Refused(reason)
}
