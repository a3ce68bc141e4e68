//! The least of an HTTP client: one request, one connection, and no patience with a server
//! that is gone.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A server that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who is talked to.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
}

/// A complete reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> io::Result<Reply> {
        self.exchange("GET", path, "text/plain", b"")
    }

    pub(crate) fn delete(&self, path: &str) -> io::Result<Reply> {
        self.exchange("DELETE", path, "text/plain", b"")
    }

    pub(crate) fn post(&self, path: &str, json: &str) -> io::Result<Reply> {
        self.exchange("POST", path, "application/json", json.as_bytes())
    }

    /// Uploads a file in place of the one of its name, and attaches it.
    pub(crate) fn replace(&self, filename: &str, content: &[u8]) -> io::Result<Reply> {
        let mut form = format!(
            "--x\r\ncontent-disposition: form-data; name=\"replace\"\r\n\r\ntrue\r\n\
             --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\r\n"
        )
        .into_bytes();
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n--x--\r\n");
        let path = "/v1/vector_stores/default/files";
        self.exchange("POST", path, "multipart/form-data; boundary=x", &form)
    }

    fn exchange(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = body.len();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        stream.write_all(&request)?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        parse(&reply).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "cut short"))
    }
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

/// A reply, if all of it came.
fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let body = bytes[end + 4..].to_vec();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    (length? == body.len()).then_some(Reply { status, body })
}
